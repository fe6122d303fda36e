"""What the admin's first page tells: how much is done, how much fails, how long it waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from accounts.audit_chain import state
from accounts.models import Tenant
from media_jobs.admin.charts import Chart, Series
from media_jobs.engine import lanes
from media_jobs.models import DeadLetter, Job, Slot, Status, WebhookDelivery

_KEPT_S = 20
_HOURS = 24
_DAYS = 14

# By the time of the end; `bucket` is cut to the hour or day of the range's steps.
_ENDED = """
SELECT date_trunc(%(unit)s, finished_at, 'UTC') AS bucket, status, count(*),
       coalesce(sum((usage->>'cpu_seconds')::float), 0)
FROM media_jobs_job
WHERE finished_at >= date_trunc(%(unit)s, now(), 'UTC') - %(back)s * ('1 ' || %(unit)s)::interval
GROUP BY 1, 2
"""
# How many waited at each full hour: made before it, started or ended after it, if ever.
_DEPTH = """
WITH hours AS (
    SELECT generate_series(date_trunc('hour', now(), 'UTC') - %(back)s * interval '1 hour',
                           date_trunc('hour', now(), 'UTC'), '1 hour') AS hour
), recent AS (
    SELECT run_at, coalesce(started_at, finished_at, 'infinity') AS left_at
    FROM media_jobs_job
    WHERE coalesce(started_at, finished_at, 'infinity') >= now() - interval '1 day'
      AND run_at <= now()
)
SELECT hour, count(left_at) FROM hours
LEFT JOIN recent ON run_at <= hour AND left_at > hour
GROUP BY 1 ORDER BY 1
"""

Ended = dict[tuple[datetime, str], tuple[int, float]]


def show(_request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures to the context of the admin's first page; they may be seconds old."""
    told: dict[str, Any] | None = cache.get("admin:figures")
    if told is None:
        warning = str(state.health().get("warning", ""))
        told = {
            "cards": _cards(warning),
            "chain_warning": warning,
            "charts": _charts(),
            "lanes": lanes.overview(),
        }
        cache.set("admin:figures", told, _KEPT_S)
    return context | told


def _cards(chain_warning: str) -> list[tuple[str, str, str, bool]]:
    """A title, a figure, the view that it leads to, and whether it asks for attention."""
    running = Job.objects.filter(status=Status.RUNNING).count()
    queued = Job.objects.filter(status=Status.QUEUED).count()
    dead = DeadLetter.objects.count()
    alive = Slot.objects.working().count()
    waiting = WebhookDelivery.objects.filter(next_attempt_at__isnull=False).count()
    held = Tenant.objects.filter(quota_suspended_at__isnull=False).count()
    return [
        ("Running", str(running), "admin:media_jobs_job_changelist", False),
        ("Queued", str(queued), "admin:media_jobs_job_changelist", False),
        ("Dead letters", str(dead), "admin:media_jobs_deadletter_changelist", dead > 0),
        ("Slots alive", str(alive), "admin:media_jobs_slot_changelist", alive == 0),
        (
            "Sandbox",
            _sandbox(),
            "admin:media_jobs_slot_changelist",
            _sandbox() not in {"full", "no slot"},
        ),
        ("Webhooks waiting", str(waiting), "admin:media_jobs_webhookdelivery_changelist", False),
        ("Tenants held", str(held), "admin:accounts_tenant_changelist", held > 0),
        ("Audit chain", "look" if chain_warning else "sealed", "audit", bool(chain_warning)),
    ]


def _sandbox() -> str:
    """The weakest of the slots that are alive."""
    told = Slot.objects.alive().values_list("sandbox__level", flat=True)
    levels = set(told)
    return next((each for each in ("none", "reduced", "full") if each in levels), "no slot")


def _charts() -> list[Chart]:
    hours, days = _steps("hour", _HOURS), _steps("day", _DAYS)
    lately, longer = _ended("hour", _HOURS), _ended("day", _DAYS)
    cpu = [sum(spent for (at, _), (_, spent) in longer.items() if at == day) for day in days]
    return [
        Chart(
            "Jobs ended in 24 hours",
            [f"{hour:%H:%M}" for hour in hours],
            [_counted(lately, hours, each) for each in ("completed", "failed", "canceled")],
        ),
        Chart(
            "Jobs waiting in 24 hours",
            [f"{hour:%H:%M}" for hour, _ in _depth()],
            [Series("waiting", [float(count) for _, count in _depth()])],
        ),
        Chart(
            "Failures in 14 days",
            [f"{day:%d %b}" for day in days],
            [_counted(longer, days, Status.FAILED)],
        ),
        Chart(
            "CPU seconds in 14 days",
            [f"{day:%d %b}" for day in days],
            [Series("cpu", cpu)],
        ),
    ]


def _steps(unit: str, number: int) -> list[datetime]:
    now = timezone.now()
    last = now.replace(minute=0, second=0, microsecond=0)
    if unit == "day":
        last = last.replace(hour=0)
    step = timedelta(hours=1) if unit == "hour" else timedelta(days=1)
    return [last - step * back for back in reversed(range(number))]


def _ended(unit: str, number: int) -> Ended:
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, {"unit": unit, "back": number - 1})
        return {(at, status): (count, cpu) for at, status, count, cpu in cursor.fetchall()}


def _counted(ended: Ended, steps: list[datetime], status: str) -> Series:
    return Series(status, [float(ended.get((step, status), (0, 0.0))[0]) for step in steps])


def _depth() -> list[tuple[datetime, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_DEPTH, {"back": _HOURS - 1})
        return list(cursor.fetchall())
