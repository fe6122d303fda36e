from __future__ import annotations

from typing import Any, ClassVar, Final

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from accounts.models.tenant import Tenant, TenantQuerySet
from ffapi_site.lib.bounded_fields import BoundedJSONField
from ffapi_site.lib.ids import PublicIdField

DETAILS_BYTES = 16 << 10

# It comes unsealed and is sealed once; then what is personal in it can be erased, and a retention
# cut that is signed for takes the oldest away: nothing else happens to a record, whoever asks.
_KEEP = """
IF TG_OP = 'INSERT' THEN
    IF num_nonnulls(NEW.seq, NEW.place, NEW.prev_hash, NEW.hash, NEW.personal_digest) = 0 THEN
        RETURN NEW;
    END IF;
ELSIF TG_OP = 'DELETE' THEN
    IF current_setting('ffapi.audit_cut', true) = 'on' THEN
        RETURN OLD;
    END IF;
ELSIF (NEW.id, NEW.tenant_id, NEW.at, NEW.xid, NEW.event_type, NEW.outcome, NEW.actor_type,
        NEW.actor_id, NEW.resource_type, NEW.resource_id, NEW.request_id, NEW.details)
    IS NOT DISTINCT FROM (OLD.id, OLD.tenant_id, OLD.at, OLD.xid, OLD.event_type, OLD.outcome,
        OLD.actor_type, OLD.actor_id, OLD.resource_type, OLD.resource_id, OLD.request_id,
        OLD.details)
    AND (OLD.seq IS NULL OR (NEW.seq, NEW.place, NEW.prev_hash, NEW.hash, NEW.personal_digest)
        IS NOT DISTINCT FROM (OLD.seq, OLD.place, OLD.prev_hash, OLD.hash, OLD.personal_digest))
    AND ((NEW.personal, NEW.salt) IS NOT DISTINCT FROM (OLD.personal, OLD.salt)
        OR (OLD.seq IS NOT NULL AND NEW.personal IS NULL AND NEW.salt IS NULL))
THEN
    RETURN NEW;
END IF;
RAISE EXCEPTION 'the audit log is append-only';
"""


# The last number that a record may have, in its chain and among all: there is always a next one.
LAST_NUMBER: Final = 2**62


class TransactionIdField(models.Field[int, int]):
    """PostgreSQL's ``xid8``."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 -- Django's signature
        return "xid8"


class CurrentTransaction(models.Func):
    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field = TransactionIdField()


class AuditRecordQuerySet(TenantQuerySet["AuditRecord"]):
    """Records of tenants; those of the installation itself have no tenant."""


class AuditRecord(models.Model):
    """One thing that happened, written in the transaction that it happened in.

    Nobody changes it, but for the sealer: it gives each record its place in its tenant's chain.
    """

    append_only: ClassVar = True
    not_added: ClassVar = ("xid", "seq", "place", "prev_hash", "hash", "personal_digest")
    """Columns that the site's role gives no value to when it adds a record."""
    sealer_rights: ClassVar = (
        "SELECT, INSERT, DELETE",
        "UPDATE (seq, place, prev_hash, hash, personal_digest, personal, salt)",
    )

    id = PublicIdField(prefix="audit")
    tenant = models.ForeignKey(
        Tenant, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField(db_default=Now())
    xid = TransactionIdField(db_default=CurrentTransaction(), editable=False)
    event_type = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8)
    actor_type = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    resource_type = models.CharField(max_length=32)
    resource_id = models.CharField(max_length=64)
    request_id = models.CharField(max_length=128)
    details = BoundedJSONField(default=dict, most_bytes=DETAILS_BYTES, cuts=True)
    personal = BoundedJSONField(null=True, most_bytes=DETAILS_BYTES, cuts=True)
    """Names and addresses: behind a salted digest in the chain, so that they can be erased."""
    salt = models.BinaryField(max_length=16, null=True)
    personal_digest = models.CharField(max_length=64, null=True)  # noqa: DJ001 -- null until sealed
    seq = models.BigIntegerField(null=True)
    """Its number in its tenant's chain, without gaps."""
    place = models.BigIntegerField(null=True, unique=True)
    """Its number among all sealed records: how far they were forwarded is told by it."""
    prev_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001 -- null until sealed
    hash = models.CharField(max_length=64, null=True)  # noqa: DJ001 -- null until sealed

    objects = AuditRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="audit_of_tenant"),
            models.Index(fields=["xid", "id"], name="audit_unsealed", condition=models.Q(seq=None)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="audit_kept",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=_KEEP,
            ),
            pgtrigger.Trigger(
                name="audit_not_emptied",
                level=pgtrigger.Statement,
                operation=pgtrigger.Truncate,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'the audit log is append-only';",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    seq=None, place=None, prev_hash=None, hash=None, personal_digest=None
                )
                | models.Q(
                    seq__isnull=False,
                    place__isnull=False,
                    prev_hash__isnull=False,
                    hash__isnull=False,
                    personal_digest__isnull=False,
                ),
                name="audit_sealed_as_a_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(seq__range=(1, LAST_NUMBER), place__range=(1, LAST_NUMBER)),
                name="audit_numbers_within_bounds",
            ),
            # NULLS NOT DISTINCT: the installation's own chain has no tenant.
            models.UniqueConstraint(
                fields=["tenant", "seq"],
                name="audit_seq_once",
                condition=models.Q(seq__isnull=False),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.resource_id}"
