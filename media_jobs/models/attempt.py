from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from ffapi_site.lib.bounded_fields import BoundedJSONField, BoundedTextField
from media_jobs.models.job import Job, Status

LOG_BYTES = 128 << 10  # half of it the head, half the tail
RECEIPT_BYTES = 64 << 10
ANSWER_BYTES = 64 << 10


class JobAttempt(models.Model):
    """One run of a job on one slot, with its log and its receipt."""

    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )  # `attempt_once` begins with it
    number = models.PositiveSmallIntegerField()
    slot = models.CharField(max_length=100)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=32, blank=True)
    log = BoundedTextField(blank=True, most_bytes=LOG_BYTES)
    receipt = BoundedJSONField(default=dict, most_bytes=RECEIPT_BYTES, cuts=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="attempt_once")]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.number}"


class JobStep(models.Model):
    """What a finished step has measured: after a crash the plan is replayed with these."""

    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="steps", db_index=False
    )  # `step_once` begins with it
    position = models.PositiveSmallIntegerField()
    answer = BoundedJSONField(null=True, most_bytes=ANSWER_BYTES, cuts=False)
    attempt = models.PositiveSmallIntegerField()
    about = models.CharField(max_length=64, blank=True, default="", db_default="")
    """SHA-256 of the command and the inputs that it was: for others it is no answer."""

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="step_once")]

    def __str__(self) -> str:
        return f"{self.job_id} step {self.position}"


class JobEvent(models.Model):
    """One change of a job's status."""

    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="events", db_index=False
    )  # `event_of_job` begins with it; a key of text would have two indexes
    at = models.DateTimeField(db_default=Now())
    from_status = models.CharField(max_length=10, choices=Status.choices, blank=True)
    to_status = models.CharField(max_length=10, choices=Status.choices)
    attempt = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job"],
                condition=models.Q(to_status__in=["completed", "failed", "canceled"]),
                name="job_ends_once",
            )
        ]
        indexes = [models.Index(fields=["job", "id"], name="event_of_job")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.from_status} -> {self.to_status}"
