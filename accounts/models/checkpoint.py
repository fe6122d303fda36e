"""What the sealer signs, and what it tells of itself."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from accounts.models.tenant import Tenant, TenantQuerySet
from ffapi_site.lib.ids import PublicIdField

_ONLY_ADDED = "RAISE EXCEPTION 'what the sealer signed is append-only';"


def _kept(name: str) -> list[pgtrigger.Trigger]:
    return [
        pgtrigger.Trigger(
            name=f"{name}_kept",
            operation=pgtrigger.Update | pgtrigger.Delete,
            when=pgtrigger.Before,
            func=_ONLY_ADDED,
        ),
        pgtrigger.Trigger(
            name=f"{name}_not_emptied",
            level=pgtrigger.Statement,
            operation=pgtrigger.Truncate,
            when=pgtrigger.Before,
            func=_ONLY_ADDED,
        ),
    ]


class AuditKey(models.Model):
    """The public half of a signing key, introduced by the key before it."""

    sealer_rights: ClassVar = ("SELECT, INSERT",)
    is_sealers: ClassVar = True

    key_id = models.CharField(max_length=16, primary_key=True)
    at = models.DateTimeField(db_default=Now())
    envelope = models.JSONField()

    class Meta:
        ordering = ["at"]
        triggers = _kept("audit_key")

    def __str__(self) -> str:
        return self.key_id


class AuditCheckpoint(models.Model):
    """The state of a tenant's chain, signed; a retention cut and a rollback are told as ones too.

    ``envelope`` is the statement that was signed, with its signature; ``id`` is the statement's
    digest, and the other columns are out of it.
    """

    sealer_rights: ClassVar = ("SELECT, INSERT",)
    is_sealers: ClassVar = True

    id = models.CharField(max_length=64, primary_key=True)
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.PROTECT, related_name="+")
    number = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    envelope = models.JSONField()

    objects = TenantQuerySet["AuditCheckpoint"].as_manager()

    class Meta:
        ordering = ["tenant", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="audit_checkpoint_once", nulls_distinct=False
            )
        ]
        triggers = _kept("audit_checkpoint")

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class AuditSignature(models.Model):
    """A manifest that an export wants signed: the key is the sealer's, which checks it first."""

    sealer_rights: ClassVar = ("SELECT, DELETE", "UPDATE (statement, signature, refusal)")

    id = PublicIdField(prefix="signature")
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    statement = models.JSONField()
    signature = models.CharField(max_length=128, default="")
    refusal = models.CharField(max_length=300, default="")

    objects = TenantQuerySet["AuditSignature"].as_manager()

    def __str__(self) -> str:
        return self.id


class AuditSealer(models.Model):
    """What the sealer tells of itself; there is one row."""

    sealer_rights: ClassVar = ("SELECT, INSERT, UPDATE",)
    is_sealers: ClassVar = True

    name = models.CharField(max_length=16, primary_key=True)
    heartbeat_at = models.DateTimeField()
    is_reduced = models.BooleanField()
    """Is there one role for all? Then grants don't keep the site from sealing for itself."""
    troubles = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class AuditForwarding(models.Model):
    """How far the records were forwarded to one target."""

    sealer_rights: ClassVar = ("SELECT, INSERT, UPDATE",)
    is_sealers: ClassVar = True

    target = models.CharField(max_length=300, primary_key=True)
    place = models.BigIntegerField()
    failure = models.CharField(max_length=300, default="")

    def __str__(self) -> str:
        return self.target
