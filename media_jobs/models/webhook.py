from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Tenant, TenantQuerySet
from ffapi_site.lib.bounded_fields import BoundedJSONField
from ffapi_site.lib.ids import PublicIdField
from ffapi_site.lib.web_addresses import LONGEST_URL
from media_jobs.models.job import Job

DATA_BYTES = 16 << 10


class WebhookDeliveryQuerySet(TenantQuerySet["WebhookDelivery"]):
    """Events for tenants."""


class WebhookDelivery(models.Model):
    """An event on its way to a tenant's address. Its id is the event's id in every attempt.

    ``next_attempt_at`` is empty once it was delivered or given up.
    """

    id = PublicIdField(prefix="evt")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.CASCADE, related_name="webhook_deliveries"
    )
    data = BoundedJSONField(
        default=dict, db_default={}, blank=True, most_bytes=DATA_BYTES, cuts=False
    )
    """What an event tells that is of no job; a job's is told as it is when the event is sent."""
    url = models.CharField(max_length=LONGEST_URL)
    event = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_default=Now())
    attempt = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    claimed_until = models.DateTimeField(null=True, blank=True)
    """Until when a program has it in hand; another takes it where that time passes."""
    delivered_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(
                fields=["tenant", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="webhook_waiting",
            ),
            models.Index(
                fields=["claimed_until"],
                condition=Q(claimed_until__isnull=False),
                name="webhook_claimed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"


class WebhookEndpoint(models.Model):
    """How a tenant's receiver has answered of late: one that fails is left alone for a while."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    origin = models.CharField(max_length=300)
    """Host and port as the addresses write them, in small letters."""
    failures = models.PositiveIntegerField(default=0)
    """In a row."""
    open_until = models.DateTimeField(null=True)
    """While the circuit is open nothing is sent there; afterwards one event at a time tries it."""
    turn_at = models.DateTimeField(db_default=Now())
    """When it was last the turn of an event of its."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "origin"], name="webhook_endpoint_of_tenant")
        ]
        indexes = [
            models.Index(fields=["tenant", "turn_at"], name="webhook_endpoint_turn"),
        ]

    def __str__(self) -> str:
        return self.origin
