"""How a tenant, and one of its keys, stand with all limits that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from accounts.models import ApiKey, QuotaCounter, Tenant
from accounts.quotas import actual_use, windows
from accounts.quotas.actual_use import Figure
from accounts.quotas.catalogue import CONCURRENT_JOBS, QUEUED_JOBS, QUOTAS
from accounts.quotas.status import Standing


def of_tenant(tenant: Tenant) -> list[Standing]:
    """Every quota there is, limited or not."""
    caps = {CONCURRENT_JOBS: tenant.max_concurrent_jobs, QUEUED_JOBS: tenant.max_queued_jobs}
    limits = tenant.limits | {name: cap for name, cap in caps.items() if cap is not None}
    return list(_standings(tenant.pk, None, limits, list(QUOTAS)))


def of_key(api_key: ApiKey) -> list[Standing]:
    """The key's own limits; without any it has the tenant's alone."""
    limits = dict(api_key.quota)
    if api_key.max_concurrent_jobs is not None:
        limits[CONCURRENT_JOBS] = api_key.max_concurrent_jobs
    names = [name for name in QUOTAS if name in limits]
    return list(_standings(api_key.tenant_id, api_key.pk, limits, names))


def _standings(
    tenant_id: str, api_key_id: str | None, limits: Mapping[str, int], names: list[str]
) -> Iterator[Standing]:
    if not names:
        return
    subject, starts = api_key_id or tenant_id, windows.current()
    running, waiting = actual_use.going_on(tenant_id, api_key_id)
    figures = {CONCURRENT_JOBS: Figure(running), QUEUED_JOBS: Figure(waiting)}
    if any(QUOTAS[name].is_counted and name not in limits for name in names):
        figures |= actual_use.figures(tenant_id, api_key_id, starts)
    for row in QuotaCounter.objects.filter(subject=subject, window_start__in=starts.values()):
        figures[row.name] = Figure(row.used, row.reserved)
    for name in names:
        quota, figure = QUOTAS[name], figures.get(name, Figure())
        yield Standing(
            *(subject, quota, limits.get(name)),
            *(figure.used, figure.reserved, starts[quota.window]),
        )
