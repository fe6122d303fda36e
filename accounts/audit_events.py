"""What the audit log tells of: one name for each kind of thing that happens."""

from __future__ import annotations

from enum import StrEnum


class AuditEvent(StrEnum):
    """``resource.action``: the part before the dot is the type of what it happened to."""

    API_KEY_CHANGED = "api_key.changed"
    API_KEY_CREATED = "api_key.created"
    API_KEY_EXPORTED = "api_key.exported"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_USED_FROM_NEW_ADDRESS = "api_key.used_from_new_address"
    FILE_CHANGED = "file.changed"
    FILE_CREATED = "file.created"
    FILE_DELETED = "file.deleted"
    FILE_EXPIRED = "file.expired"
    FILE_EXPORTED = "file.exported"
    JOB_CANCELED = "job.canceled"
    JOB_CREATED = "job.created"
    JOB_DELETED = "job.deleted"
    JOB_EXPIRED = "job.expired"
    JOB_EXPORTED = "job.exported"
    JOB_ENDED = "job.ended"
    JOB_GIVEN_BACK = "job.given_back"
    JOB_MOVED = "job.moved"
    JOB_QUARANTINED = "job.quarantined"
    JOB_REQUEUED = "job.requeued"
    JOB_RETRIED = "job.retried"
    LANE_DRAINED = "lane.drained"
    LANE_PAUSED = "lane.paused"
    LANE_RESUMED = "lane.resumed"
    WEBHOOK_DELIVERED = "webhook.delivered"
    WEBHOOK_FAILED = "webhook.failed"
    WEBHOOK_REDELIVERED = "webhook.redelivered"
    WEBHOOK_SECRET_SHOWN = "webhook_secret.shown"  # noqa: S105 -- a name
    TENANT_CHANGED = "tenant.changed"
    TENANT_CHOSEN = "tenant.chosen"
    TENANT_CREATED = "tenant.created"
    TENANT_ENTERED = "tenant.entered"
    TENANT_LEFT = "tenant.left"
    TENANT_RESUMED = "tenant.resumed"
    TENANT_SUSPENDED = "tenant.suspended"
    INVITATION_ACCEPTED = "invitation.accepted"
    INVITATION_MADE = "invitation.made"
    INVITATION_REVOKED = "invitation.revoked"
    LOGIN_FAILED = "login.failed"
    LOGIN_LOCKED = "login.locked"
    LOGIN_SUCCEEDED = "login.succeeded"
    MEMBER_REMOVED = "member.removed"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 -- a name
    PASSWORD_RESET = "password.reset"  # noqa: S105 -- a name
    PASSWORD_RESET_REQUESTED = "password.reset_requested"  # noqa: S105 -- a name
    PERSON_CHANGED = "person.changed"
    PERSON_CREATED = "person.created"
    PERSON_EMAIL_REQUESTED = "person.email_requested"
    RECOVERY_CODE_USED = "recovery_code.used"
    RECOVERY_CODES_MADE = "recovery_code.made"
    REGISTRATION_COMPLETED = "registration.completed"
    REGISTRATION_REQUESTED = "registration.requested"
    SESSION_ENDED = "session.ended"
    SESSION_REVOKED = "session.revoked"
    TENANT_SECURITY_CHANGED = "tenant.security_changed"
    TOTP_ENROLLED = "totp.enrolled"
    TOTP_FAILED = "totp.failed"
    TOTP_LOCKED = "totp.locked"
    TOTP_REMOVED = "totp.removed"
    TOTP_RESET = "totp.reset"
    TOTP_VERIFIED = "totp.verified"
    PLAN_CHANGED = "plan.changed"
    QUOTA_ALERTS_CHANGED = "quota.alerts_changed"
    QUOTA_CHANGED = "quota.changed"
    QUOTA_SUSPENDED = "quota.suspended"
    QUOTA_SUSPENSION_LIFTED = "quota.suspension_lifted"
    TENANT_PLAN_CHANGED = "tenant.plan_changed"
    REQUEST_DENIED = "request.denied"
    AUDIT_CUT = "audit.cut"
    AUDIT_ERASED = "audit.erased"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_KEY_ROTATED = "audit.key_rotated"
    AUDIT_ROLLBACK_ACCEPTED = "audit.rollback_accepted"

    @property
    def resource_type(self) -> str:
        return self.partition(".")[0]

    @property
    def action(self) -> str:
        return self.partition(".")[2]


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"
