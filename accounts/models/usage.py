from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models.api_key import ApiKey
from accounts.models.tenant import Tenant, TenantQuerySet


class UsageEntryQuerySet(TenantQuerySet["UsageEntry"]):
    """Entries of tenants."""


class UsageEntry(models.Model):
    """What one piece of work did cost, written once, when it ended; it outlives the work's row."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="usage")
    api_key = models.ForeignKey(
        ApiKey, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    work_id = models.CharField(max_length=40, unique=True)
    operation = models.CharField(max_length=64)
    outcome = models.CharField(max_length=10)
    did_run = models.BooleanField()
    submitted_at = models.DateTimeField()
    ended_at = models.DateTimeField(db_default=Now())
    cpu_ms = models.BigIntegerField(default=0)
    wall_ms = models.BigIntegerField(default=0)
    input_bytes = models.BigIntegerField(default=0)
    output_bytes = models.BigIntegerField(default=0)

    objects = UsageEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "usage entries"
        indexes = [
            models.Index(fields=["tenant", "ended_at"], name="usage_by_end"),
            models.Index(fields=["tenant", "submitted_at"], name="usage_by_submission"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.work_id}: {self.cpu_ms} ms"
