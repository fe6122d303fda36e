from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now

from accounts.models import Tenant, TenantQuerySet
from ffapi_site.lib.ids import PublicIdField
from media_jobs.models.job import Job


class WebhookDeliveryQuerySet(TenantQuerySet["WebhookDelivery"]):
    def due(self) -> Self:
        return self.filter(next_attempt_at__lte=Now()).order_by("next_attempt_at")


class WebhookDelivery(models.Model):
    """An event on its way to a tenant's address. Its id is the event's id in every attempt.

    ``next_attempt_at`` is empty once it was delivered or given up.
    """

    id = PublicIdField(prefix="evt")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.CASCADE, related_name="webhook_deliveries"
    )
    data = models.JSONField(default=dict, db_default={}, blank=True)
    """What an event tells that is of no job; a job's is told as it is when the event is sent."""
    url = models.CharField(max_length=2000)
    event = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_default=Now())
    attempt = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(next_attempt_at__isnull=False),
                name="webhook_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"
