from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Extract, Now

from accounts.models import ApiKey, Tenant, TenantQuerySet, User
from ffapi_site.lib.bounded_fields import BoundedJSONField
from ffapi_site.lib.environment import LONGEST_HOST_NAME
from ffapi_site.lib.ids import MadeAtField, PublicIdField
from ffapi_site.lib.labels import LONGEST_TAG, METADATA_BYTES
from ffapi_site.lib.web_addresses import LONGEST_URL

if TYPE_CHECKING:
    from media_jobs.models.media import JobInput


class Status(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


FINAL = (Status.COMPLETED, Status.FAILED, Status.CANCELED)


class Priority(models.IntegerChoices):
    HIGH = 0
    NORMAL = 1
    LOW = 2


class Lane(models.TextChoices):
    CPU = "cpu"
    GPU = "gpu"


class DeviceAsked(models.TextChoices):
    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


# What a row holds at most, of what a request asks for, of what was found, and of what we say.
PARAMS_BYTES = 256 << 10
RESULT_BYTES = 256 << 10
WARNINGS_BYTES = 16 << 10
FACTS_BYTES = 8 << 10

# How much longer a job of one priority waits than the next higher one that came with it: within a
# tenant, whatever waited that much longer goes first, so "low" never starves.
AGEING_S = 3600


class JobQuerySet(TenantQuerySet["Job"]):
    def due(self, lane: str) -> Self:
        """Jobs of ``lane`` whose time has come; each tenant's in the order of its claims."""
        waiting = self.filter(status=Status.QUEUED, lane=lane, run_at__lte=Now())
        return waiting.order_by("rank", "id")

    def stalled(self) -> Self:
        """Running jobs whose slot has not been heard of within its lease."""
        return self.filter(status=Status.RUNNING, lease_until__lt=Now())

    def quarantined(self) -> Self:
        """The dead letters: jobs that killed their workers and that staff may requeue."""
        return self.filter(quarantined_at__isnull=False).order_by("quarantined_at")


class Job(models.Model):
    """The truth about a job; queue messages only say that there may be work.

    ``attempt`` is the fence: it grows with every claim, and every write of a worker names the
    attempt it belongs to, so a worker that lost its lease can't change anything any more.
    """

    id = PublicIdField(prefix="job")
    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        related_name="jobs",
        db_index=False,  # `job_of_tenant` begins with it; each index costs every transition
    )
    api_key = models.ForeignKey(
        ApiKey,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,  # `job_of_key` is one index, where a key of text has two
    )
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL)
    operation = models.CharField(max_length=64)
    params = BoundedJSONField(default=dict, most_bytes=PARAMS_BYTES, cuts=False)
    output_name = models.CharField(max_length=150, blank=True)
    metadata = BoundedJSONField(default=dict, blank=True, most_bytes=METADATA_BYTES, cuts=False)
    tags = ArrayField(models.CharField(max_length=LONGEST_TAG), default=list, blank=True)
    webhook_url = models.CharField(max_length=LONGEST_URL, blank=True)

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    lane = models.CharField(max_length=16, default=Lane.CPU)
    device_asked = models.CharField(
        max_length=8,
        choices=DeviceAsked.choices,
        default=DeviceAsked.AUTO,
        db_default=DeviceAsked.AUTO,
    )
    memory_mb = models.PositiveIntegerField(default=256)
    """What FFmpeg is expected to need at once."""
    scratch_mb = models.PositiveIntegerField(default=64)
    """What its scratch folder is expected to grow to."""
    reserved_cpu_ms = models.PositiveBigIntegerField(default=0, db_default=0)
    """What it is counted at in the quotas until it ends."""
    row_bytes = models.PositiveBigIntegerField(default=0, db_default=0)
    """What it is counted at as storage: what was asked for, and from its end on all its rows."""
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=4)
    created_at = MadeAtField(db_default=Now())
    run_at = models.DateTimeField(db_default=Now())
    rank = models.GeneratedField(
        expression=Extract("run_at", "epoch")
        + models.F("priority") * models.Value(AGEING_S, output_field=models.IntegerField()),
        output_field=models.FloatField(),
        db_persist=True,
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    slot = models.CharField(max_length=100, blank=True)
    host = models.CharField(max_length=LONGEST_HOST_NAME, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    """Set while a job that killed its workers waits for staff to look at it."""

    progress = BoundedJSONField(default=dict, most_bytes=FACTS_BYTES, cuts=True)
    device = models.CharField(max_length=8, blank=True)
    fallback = BoundedJSONField(null=True, blank=True, most_bytes=FACTS_BYTES, cuts=True)
    result = BoundedJSONField(null=True, blank=True, most_bytes=RESULT_BYTES, cuts=True)
    error = BoundedJSONField(null=True, blank=True, most_bytes=FACTS_BYTES, cuts=True)
    warnings = BoundedJSONField(default=list, most_bytes=WARNINGS_BYTES, cuts=True)
    usage = BoundedJSONField(default=dict, most_bytes=FACTS_BYTES, cuts=True)

    just_given: list[JobInput] | None = None
    """The inputs, with whoever has made the job just now: it tells of them without reading them."""

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="job_status"),
            models.CheckConstraint(
                condition=models.Q(status=Status.RUNNING) ^ models.Q(lease_until=None),
                name="job_leased_while_running",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=FINAL) ^ models.Q(finished_at=None),
                name="job_finished_when_final",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="job_of_tenant"),
            models.Index(fields=["tenant", "status", "-id"], name="job_of_tenant_by_status"),
            models.Index(fields=["api_key"], name="job_of_key"),
            models.Index(
                fields=["lane", "tenant", "rank", "id"],
                condition=models.Q(status=Status.QUEUED),
                name="job_due",
            ),
            models.Index(
                fields=["lease_until"], condition=models.Q(status=Status.RUNNING), name="job_leases"
            ),
            models.Index(
                fields=["quarantined_at"],
                condition=models.Q(quarantined_at__isnull=False),
                name="job_quarantined",
            ),
            GinIndex(fields=["tags"], name="job_tags"),
        ]

        triggers = [
            pgtrigger.Trigger(
                name="job_submitted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    INSERT INTO media_jobs_jobevent
                        (job_id, at, from_status, to_status, attempt, reason) VALUES
                        (NEW.id, statement_timestamp(), '', NEW.status, NEW.attempt, 'submitted');
                    RETURN NULL;
                """,
            ),
            # The net below `states`: whatever writes the row, a final status stays.
            pgtrigger.FSM(
                name="job_transitions",
                field="status",
                transitions=[
                    ("queued", "running"),
                    ("queued", "failed"),
                    ("queued", "canceled"),
                    ("running", "queued"),
                    ("running", "completed"),
                    ("running", "failed"),
                    ("running", "canceled"),
                ],
            ),
            pgtrigger.Protect(
                name="job_fence_never_falls",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__attempt__lt=pgtrigger.F("old__attempt")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.id}"

    @property
    def is_final(self) -> bool:
        return self.status in FINAL
