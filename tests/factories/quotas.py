from __future__ import annotations

from typing import Any

from factory.declarations import Dict, SelfAttribute, SubFactory
from factory.django import DjangoModelFactory

from accounts.models import QuotaAlert, QuotaCounter, StorageHold
from accounts.quotas import counters, reservations
from accounts.quotas.catalogue import JOBS_PER_DAY, STORAGE
from accounts.quotas.counters import Change
from tests.factories.accounts import TenantFactory


class QuotaCounterFactory(DjangoModelFactory[QuotaCounter]):
    """What a tenant has taken of a limit, which it has to have."""

    class Meta:
        model = QuotaCounter

    tenant = SubFactory(TenantFactory, limits=Dict({JOBS_PER_DAY: 100}))
    name = JOBS_PER_DAY
    used = 1
    reserved = 0

    @classmethod
    def _create(cls, model_class: type[QuotaCounter], *_args: Any, **fields: Any) -> QuotaCounter:
        """Only the database's own function keeps what is counted and what is told in step."""
        tenant = fields.pop("tenant")
        counters.take(tenant.pk, None, [Change(**fields)])
        return model_class.objects.get(subject=tenant.pk, name=fields["name"])


class StorageHoldFactory(DjangoModelFactory[StorageHold]):
    """Room that is kept for an upload, and counted; its tenant has to have that limit."""

    class Meta:
        model = StorageHold

    tenant = SubFactory(TenantFactory, limits=Dict({STORAGE: 100}))
    api_key_id = None
    size_bytes = 1000

    @classmethod
    def _create(cls, model_class: type[StorageHold], *_args: Any, **fields: Any) -> StorageHold:
        hold = reservations.hold_storage(fields.pop("tenant").pk, **fields)
        return model_class.objects.get(pk=hold)


class QuotaAlertFactory(DjangoModelFactory[QuotaAlert]):
    """One that is not mailed yet, and was told to nobody."""

    class Meta:
        model = QuotaAlert

    tenant = SubFactory(TenantFactory)
    subject = SelfAttribute("tenant.pk")
    name = JOBS_PER_DAY
    percent = 80
    maximum = 100
    taken = 80
