"""The counters: changed by one statement each, which waits for nobody but its own tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import connection

from accounts.quotas import alerts
from accounts.quotas.catalogue import QUOTAS
from accounts.quotas.errors import QuotaExceeded, TenantSuspended
from accounts.quotas.status import Standing

_CHANGE = """
SELECT subject, name, kind, maximum, used, reserved, window_start, statement_timestamp()
FROM ffapi_quota_change(%s, %s, coalesce(%s, now()), %s, %s, %s, %s, %s, %s, %s)
"""
_Check = Literal["all", "limits", "nothing"]
"""All are the tenant's suspension and the limits."""
_SUSPENDED, _REFUSED = "suspended", "refused"


@dataclass(frozen=True)
class Change:
    """How much more of one quota is used, and reserved, than was; in what its counter counts."""

    name: str
    used: int = 0
    reserved: int = 0


def take(
    tenant_id: str,
    api_key_id: str | None,
    changes: Sequence[Change],
    *,
    at: datetime | None = None,
    is_begun: bool = False,
) -> None:
    """Count what is wanted, or raise: `QuotaExceeded`, or `TenantSuspended`.

    It counts in the windows of ``at``, of this moment where that is None. A suspension does not
    stop what ``is_begun``.

    The last thing of a transaction that ends with what is raised: until its end, whoever else
    takes from the same counters waits, and what was counted is taken back with it.
    """
    check: _Check = "limits" if is_begun else "all"
    _change(tenant_id, api_key_id, changes, at=at, check=check)


def correct(
    tenant_id: str, api_key_id: str | None, changes: Sequence[Change], at: datetime | None = None
) -> None:
    """Count what has turned out, in the windows of ``at``; it is never refused."""
    _change(tenant_id, api_key_id, changes, at=at, check="nothing")


def _change(
    tenant_id: str,
    api_key_id: str | None,
    changes: Sequence[Change],
    *,
    at: datetime | None,
    check: _Check,
) -> None:
    quotas = [QUOTAS[each.name] for each in changes]
    columns = (
        [each.name for each in quotas],
        [each.window for each in quotas],
        [each.scale for each in quotas],
        [each.used for each in changes],
        [each.reserved for each in changes],
    )
    checks = (check != "nothing", check == "limits")
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, (tenant_id, api_key_id, at, *columns, *checks))
        told = cursor.fetchall()
    for subject, name, kind, maximum, used, reserved, start, now in told:
        if kind == _SUSPENDED:
            raise TenantSuspended
        standing = Standing(subject, QUOTAS[name], maximum, used, reserved, start)
        if kind == _REFUSED:
            raise QuotaExceeded(tenant_id, standing, now)
        alerts.note(tenant_id, standing, percent=int(kind))
