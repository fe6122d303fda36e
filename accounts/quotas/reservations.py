"""What those who take something call: reserve first, settle at the end, each in its transaction.

A tenant or key without a limit has no counter, and each of these costs it one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import StorageHold
from accounts.quotas import counters
from accounts.quotas.catalogue import CPU_PER_MONTH, JOBS_PER_DAY, JOBS_PER_HOUR, STORAGE
from accounts.quotas.counters import Change
from accounts.usage import ledger
from ffapi_site.lib.chores import Items
from ffapi_site.lib.ids import new_id

_HOLDS_LAST = timedelta(hours=2)
_STALE = Items("storage holds")


@dataclass(frozen=True)
class Begun:
    """Work that was just submitted, at what it is expected to cost and takes to be kept."""

    tenant_id: str
    api_key_id: str | None
    submitted_at: datetime
    cpu_ms: int
    row_bytes: int


def reserve_job(begun: Begun) -> None:
    """Count a job in the windows of its submission, in which `settle_job` finds it again.

    Call it last in the job's transaction, after its row is written. Raises as `counters.take`.
    """
    wanted = [
        Change(JOBS_PER_HOUR, reserved=1),
        Change(JOBS_PER_DAY, reserved=1),
        Change(CPU_PER_MONTH, reserved=begun.cpu_ms),
        Change(STORAGE, used=begun.row_bytes),
    ]
    counters.take(begun.tenant_id, begun.api_key_id, wanted, at=begun.submitted_at)


@dataclass(frozen=True)
class Ended:
    """Work that has ended, and what it had reserved; ``usage`` is None where nobody measured."""

    tenant_id: str
    api_key_id: str | None
    work_id: str
    operation: str
    outcome: str
    did_run: bool
    submitted_at: datetime
    reserved_cpu_ms: int
    usage: ledger.Usage | None
    grown_bytes: int = 0
    """How much more its rows take than they were counted at."""


def settle_job(ended: Ended) -> None:
    """Write what a job did cost into the ledger, and correct the counters to it.

    A job that never ran gives back all that it reserved; one that ran unmeasured stays as it was
    reserved. Part of the transaction that ends the job.
    """
    assumed = ledger.Usage(cpu_ms=ended.reserved_cpu_ms if ended.did_run else 0)
    usage = ended.usage or assumed
    ledger.write(ended, usage)
    ran = int(ended.did_run)
    found = [
        Change(JOBS_PER_HOUR, used=ran, reserved=-1),
        Change(JOBS_PER_DAY, used=ran, reserved=-1),
        Change(CPU_PER_MONTH, used=usage.cpu_ms, reserved=-ended.reserved_cpu_ms),
        Change(STORAGE, used=ended.grown_bytes),
    ]
    counters.correct(ended.tenant_id, ended.api_key_id, found, at=ended.submitted_at)


_HOLD = """
INSERT INTO accounts_storagehold (id, tenant_id, api_key_id, size_bytes)
SELECT %(id)s, %(tenant)s, %(key)s, %(size)s WHERE EXISTS (
    SELECT FROM accounts_tenant WHERE id = %(tenant)s
      AND (limits ? %(name)s OR quota_suspended_at IS NOT NULL))
  OR EXISTS (SELECT FROM accounts_apikey WHERE id = %(key)s AND quota ? %(name)s)
"""


def hold_storage(tenant_id: str, api_key_id: str | None, size_bytes: int) -> str:
    """Keep room for an upload that begins; gives the hold, empty where there is no limit."""
    hold = new_id("hold")
    names = {"id": hold, "tenant": tenant_id, "key": api_key_id, "size": size_bytes}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOLD, names | {"name": STORAGE})
        if not cursor.rowcount:
            return ""
        counters.take(tenant_id, api_key_id, [Change(STORAGE, reserved=size_bytes)])
    return hold


def drop_hold(hold: str) -> None:
    """Give the room of an upload back that came to nothing; one that is gone is no mistake."""
    if not hold:
        return
    with transaction.atomic():
        row = StorageHold.objects.select_for_update().filter(pk=hold).first()
        if row is not None:
            row.delete()
            back = [Change(STORAGE, reserved=-row.size_bytes)]
            counters.correct(row.tenant_id, row.api_key_id, back)


def take_storage(
    tenant_id: str,
    api_key_id: str | None,
    size_bytes: int,
    *,
    hold: str = "",
    is_begun: bool = False,
) -> None:
    """Count the bytes of a file whose row was just written, in the place of what was held.

    ``is_begun`` is what comes of work that was taken: a suspension lets it end.
    """
    held_bytes = 0
    if hold:
        row = StorageHold.objects.select_for_update().filter(pk=hold).first()
        if row is not None:
            held_bytes = row.size_bytes
            row.delete()
    wanted = [Change(STORAGE, used=size_bytes, reserved=-held_bytes)]
    counters.take(tenant_id, api_key_id, wanted, is_begun=is_begun)


def give_storage(tenant_id: str, api_key_id: str | None, size_bytes: int) -> None:
    """Give back the bytes of a file, or of a job's rows, that were just deleted."""
    counters.correct(tenant_id, api_key_id, [Change(STORAGE, used=-size_bytes)])


_OLD_COUNTERS = """
DELETE FROM accounts_quotacounter WHERE name = %s AND window_start < date_trunc(%s, now(), 'UTC')
"""


def forget_old() -> None:
    """Drop the holds of uploads that a crash ended, and the counters of windows that are over."""
    stale = StorageHold.objects.filter(created_at__lt=Now() - _HOLDS_LAST)
    _STALE.each(stale.values_list("pk", flat=True)[:500], drop_hold)
    windows = {JOBS_PER_HOUR: "hour", JOBS_PER_DAY: "day", CPU_PER_MONTH: "month"}
    with connection.cursor() as cursor:
        for name, window in windows.items():
            cursor.execute(_OLD_COUNTERS, (name, window))
