from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models.api_key import ApiKey
from accounts.models.tenant import Tenant, TenantQuerySet
from ffapi_site.lib.ids import PublicIdField


class QuotaCounterQuerySet(TenantQuerySet["QuotaCounter"]):
    """Counters of tenants and of their keys."""


class QuotaCounter(models.Model):
    """What a tenant or a key has taken of one limit in one window; missing is none.

    Kept only where there is a limit. Only ``ffapi_quota_change`` and the recount write it.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=40)
    """The tenant's id or a key's."""
    name = models.CharField(max_length=32)
    window_start = models.DateTimeField()
    """The epoch where what is taken is held until it is given back."""
    used = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    warned = models.PositiveSmallIntegerField(default=0)
    """The percentage that was told of in this window: 0, 80 or 100."""

    objects = QuotaCounterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "name", "window_start"], name="quota_counter_once"
            )
        ]
        indexes = [models.Index(fields=["window_start"], name="quota_counter_age")]

    def __str__(self) -> str:
        return f"{self.subject} {self.name}: {self.used} + {self.reserved}"


class StorageHold(models.Model):
    """Room kept for an upload from its start until its file is stored, or it ends otherwise."""

    id = PublicIdField(prefix="hold")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.CASCADE, related_name="+")
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.id}: {self.size_bytes} bytes"


class QuotaAlertQuerySet(TenantQuerySet["QuotaAlert"]):
    """Alerts of tenants."""


class QuotaAlert(models.Model):
    """Eighty or a hundred per cent of a limit were reached, or the tenant was suspended.

    Written in the transaction that reached it; mailed afterwards.
    """

    id = PublicIdField(prefix="alert")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="quota_alerts")
    subject = models.CharField(max_length=40)
    name = models.CharField(max_length=32)
    percent = models.PositiveSmallIntegerField()
    maximum = models.BigIntegerField()
    taken = models.BigIntegerField()
    resets_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    mailed_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_mail_at = models.DateTimeField(null=True)
    """When it is tried again, after a mail that could not be sent; null for at once."""

    objects = QuotaAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(mailed_at=None), name="quota_alert_to_mail"
            )
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.name} by {self.subject}"
