"""What the audit log tells of: one name for each kind of thing that happens."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """``resource.action``: the part before the dot is the type of what it happened to."""

    JOB_CREATED = "job.created"
    JOB_CANCELED = "job.canceled"
    JOB_ENDED = "job.ended"
    JOB_REQUEUED = "job.requeued"
    JOB_DELETED = "job.deleted"
    FILE_CREATED = "file.created"
    FILE_DELETED = "file.deleted"
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
