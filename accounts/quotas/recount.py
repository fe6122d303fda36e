"""Counters made anew from the rows, and compared with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction

from accounts.models import ApiKey, QuotaCounter, Tenant
from accounts.quotas import actual_use, windows
from accounts.quotas.actual_use import Figure
from accounts.quotas.catalogue import COUNTED, QUOTAS


@dataclass(frozen=True)
class Difference:
    tenant_id: str
    subject: str
    name: str
    counted: Figure
    found: Figure

    def __str__(self) -> str:
        return (
            f"{self.subject} {self.name}: counted {self.counted.used} + {self.counted.reserved}, "
            f"found {self.found.used} + {self.found.reserved}"
        )


def of_subject(tenant_id: str, api_key_id: str | None, limits: Iterable[str]) -> list[Difference]:
    """Set the counters of a tenant, or of a key, to what the rows say; give what was not so.

    A counter without a limit goes. The caller holds the tenant's row, so the rows keep still.
    """
    subject = api_key_id or tenant_id
    wanted = {each.name for each in COUNTED} & set(limits)
    rows = QuotaCounter.objects.filter(subject=subject, name__in=[each.name for each in COUNTED])
    rows.exclude(name__in=wanted).delete()
    found = list(_differences(tenant_id, api_key_id, wanted))
    for each in found:
        QuotaCounter.objects.update_or_create(
            subject=subject,
            name=each.name,
            window_start=windows.current()[QUOTAS[each.name].window],
            defaults={
                "tenant_id": tenant_id,
                "used": each.found.used,
                "reserved": each.found.reserved,
            },
        )
    return found


def _differences(tenant_id: str, api_key_id: str | None, names: set[str]) -> Iterator[Difference]:
    if not names:
        return
    subject, starts = api_key_id or tenant_id, windows.current()
    figures = actual_use.figures(tenant_id, api_key_id, starts)
    rows = QuotaCounter.objects.filter(subject=subject)
    counted = {(row.name, row.window_start): Figure(row.used, row.reserved) for row in rows}
    for quota in COUNTED:
        if quota.name in names:
            now = counted.get((quota.name, starts[quota.window]), Figure())
            if now != figures[quota.name]:
                yield Difference(tenant_id, subject, quota.name, now, figures[quota.name])


def of_tenant(tenant_id: str, *, mend: bool) -> list[Difference]:
    """Compare all counters of a tenant and of its keys with the rows, and mend them if asked."""
    found: list[Difference] = []
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
        keys = ApiKey.objects.filter(tenant=tenant).exclude(quota={}).order_by("pk")
        subjects = [(None, tenant.limits), *((key.pk, key.quota) for key in keys)]
        for api_key_id, limits in subjects:
            if mend:
                found += of_subject(tenant_id, api_key_id, limits)
            else:
                found += _differences(tenant_id, api_key_id, set(limits))
    return found
