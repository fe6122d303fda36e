"""Rows of the audit log.

What the sealer writes is made by a sealer, over a connection of its own which commits: such a test
has transactions, and the signing key and the file of the checkpoints in folders of its own.
"""

from __future__ import annotations

from typing import Any

from factory.declarations import Dict, Sequence, SubFactory
from factory.django import DjangoModelFactory

from accounts import audit
from accounts.audit_chain import forwarding, signing_key
from accounts.audit_chain.sealer import Sealing
from accounts.audit_events import AuditEvent
from accounts.models import (
    AuditCheckpoint,
    AuditForwarding,
    AuditKey,
    AuditRecord,
    AuditSealer,
    AuditSignature,
)
from ffapi_site.database import sealing
from tests.factories.accounts import TenantFactory


class AuditRecordFactory(DjangoModelFactory[AuditRecord]):
    """A record that is not sealed yet."""

    class Meta:
        model = AuditRecord

    tenant = SubFactory(TenantFactory)
    event = AuditEvent.JOB_CREATED
    resource_id = Sequence(lambda n: f"job_{n}")

    @classmethod
    def _create(cls, model_class: type[AuditRecord], *_args: Any, **fields: Any) -> AuditRecord:
        tenant = fields.pop("tenant")
        made = audit.record(fields.pop("event"), tenant and tenant.pk, **fields)
        return model_class.objects.get(pk=made)


class AuditSignatureFactory(DjangoModelFactory[AuditSignature]):
    """A wish that the sealer has not looked at."""

    class Meta:
        model = AuditSignature

    tenant = SubFactory(TenantFactory)
    statement = Dict({"records": 1})


class AuditKeyFactory(DjangoModelFactory[AuditKey]):
    """The key that signs from now on."""

    class Meta:
        model = AuditKey

    @classmethod
    def _create(cls, model_class: type[AuditKey], *_args: Any, **_fields: Any) -> AuditKey:
        with sealing.connect() as connection:
            key = signing_key.rotate(connection)
        return model_class.objects.get(pk=key.key_id)


class AuditCheckpointFactory(DjangoModelFactory[AuditCheckpoint]):
    """The newest of its tenant's chain, in which all that was recorded so far is sealed."""

    class Meta:
        model = AuditCheckpoint

    tenant = SubFactory(TenantFactory)

    @classmethod
    def _create(
        cls, model_class: type[AuditCheckpoint], *_args: Any, **fields: Any
    ) -> AuditCheckpoint:
        tenant = fields.pop("tenant")
        with sealing.connect() as connection:
            sealer = Sealing(connection)
            sealer.step()
            sealer.sign(tenant and tenant.pk)
        return model_class.objects.filter(tenant=tenant).latest("number")


class AuditSealerFactory(DjangoModelFactory[AuditSealer]):
    """The one row, as a sealer at work leaves it."""

    class Meta:
        model = AuditSealer

    @classmethod
    def _create(cls, model_class: type[AuditSealer], *_args: Any, **_fields: Any) -> AuditSealer:
        with sealing.connect() as connection:
            Sealing(connection).step()
        return model_class.objects.get()


class AuditForwardingFactory(DjangoModelFactory[AuditForwarding]):
    """A target to which nothing was forwarded yet: what is sealed from now on would be."""

    class Meta:
        model = AuditForwarding

    target = Sequence(lambda n: f"file:/nowhere/audit-{n}.jsonl")

    @classmethod
    def _create(
        cls, model_class: type[AuditForwarding], *_args: Any, **fields: Any
    ) -> AuditForwarding:
        with sealing.connect() as connection:
            forwarding.forward(connection, fields["target"])
        return model_class.objects.get(pk=fields["target"])
