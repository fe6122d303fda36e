"""What a tenant's page tells of its limits and keys."""

from __future__ import annotations

from django.contrib.admin.utils import quote
from django.urls import reverse

from accounts.admin.panels import Panel
from accounts.models import ApiKey, QuotaCounter, Tenant
from accounts.quotas import windows
from accounts.quotas.catalogue import QUOTAS

_SHOWN = 20


def keys_of(tenant: Tenant) -> Panel:
    keys = ApiKey.objects.with_creators_role().for_tenant(tenant)[:_SHOWN]
    return Panel(
        "API keys",
        ("Name", "Role", "Last used", "State"),
        [
            (
                (key.name, reverse("admin:accounts_apikey_change", args=[quote(key.pk)])),
                key.role,
                f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
                "usable" if key.is_usable else "ended",
            )
            for key in keys
        ],
        f"{reverse('admin:accounts_apikey_changelist')}?tenant__id__exact={tenant.pk}",
    )


def limits_of(tenant: Tenant) -> Panel:
    """Each limit in force, and what is taken of it in its present window."""
    starts = windows.current()
    rows = QuotaCounter.objects.filter(subject=tenant.pk, window_start__in=starts.values())
    counted = {(row.name, row.window_start): row.used + row.reserved for row in rows}
    taken = {name: counted.get((name, starts[each.window]), 0) for name, each in QUOTAS.items()}
    return Panel(
        "Limits and use",
        ("Limit", "At most", "Taken now", "From"),
        [
            (
                f"{QUOTAS[name].title} ({QUOTAS[name].unit})",
                str(limit),
                f"{taken[name] / QUOTAS[name].scale:,.1f}" if QUOTAS[name].is_counted else "-",
                "its own" if name in tenant.quota else f"plan {tenant.plan_id}",
            )
            for name, limit in tenant.limits.items()
        ],
    )
