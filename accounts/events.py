"""What the audit log tells of: one name for each kind of thing that happens."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """``resource.action``: the part before the dot is the type of what it happened to."""

    FILE_CHANGED = "file.changed"
    FILE_CREATED = "file.created"
    FILE_DELETED = "file.deleted"
    FILE_EXPIRED = "file.expired"
    JOB_CANCELED = "job.canceled"
    JOB_CREATED = "job.created"
    JOB_DELETED = "job.deleted"
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
    TENANT_CHOSEN = "tenant.chosen"
    TENANT_ENTERED = "tenant.entered"
    TENANT_LEFT = "tenant.left"
    REQUEST_DENIED = "request.denied"
    AUDIT_EXPORTED = "audit.exported"

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
