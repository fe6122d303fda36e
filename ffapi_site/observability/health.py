"""Whether the process lives, whether the installation can take work, and what of it can't."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError, InterfaceError, connection, connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import rate_limit
from accounts.audit_chain import state as audit_state
from ffapi_site.lib import scope, starts
from ffapi_site.lib.ids import new_id
from ffapi_site.lib.ops_auth import has_token, is_operator
from ffapi_site.lib.probe import Probe
from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import TooManyRequests, Unauthenticated, Unavailable
from media_jobs.models import DeviceHealth, Job, MaintenanceChore, Slot, Status
from storage import retention

Facts = dict[str, Any]


class Unhealthy(Exception):  # noqa: N818 -- a state
    """A component can't do its work"""


@dataclass(frozen=True)
class Component:
    name: str
    is_healthy: bool
    latency_ms: float
    facts: Facts

    def to_json(self) -> Facts:
        status = "warning" if "warning" in self.facts else "ok"
        status = status if self.is_healthy else "failing"
        return {"status": status, "latency_ms": self.latency_ms, **self.facts}


def _database() -> Facts:
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
        version, is_bound, owns = cursor.fetchone()
    # Where the role owns the tables, what is append-only is so by triggers alone.
    isolation = "none" if not is_bound else "reduced" if owns else "full"
    return {"version": version, "isolation": isolation}


_STANDING = """
SELECT current_setting('server_version'), NOT (rolsuper OR rolbypassrls),
  EXISTS (SELECT FROM pg_class WHERE relname = 'accounts_tenant' AND relowner = role.oid)
FROM pg_roles AS role WHERE rolname = current_user
"""


def _storage() -> Facts:
    storage = storages["media"]
    key = storage.save(new_id("health"), ContentFile(b"ok"))
    storage.delete(key)
    return {"backend": settings.STORAGE_BACKEND}


def _disk() -> Facts:
    free_mb = shutil.disk_usage(settings.DATA_DIR).free // (1024 * 1024)
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        file.write(b"ok")
    if free_mb < settings.MIN_FREE_SPACE_MB:
        raise Unhealthy(f"{free_mb} MB are free; MIN_FREE_SPACE_MB is {settings.MIN_FREE_SPACE_MB}")
    return {"free_mb": free_mb}


def _slots() -> Facts:
    hung = list(Slot.objects.alive().values_list("hung", flat=True))
    working = hung.count("")
    if not hung:
        raise Unhealthy("no slot is alive")
    if not working:
        raise Unhealthy(f"every slot stands still: {'; '.join(sorted(set(hung)))}")
    return {"alive": working, "hung": len(hung) - working}


def _sandbox() -> Facts:
    """How well FFmpeg is confined, by what the slots' self-tests found: the weakest counts."""
    told = list(Slot.objects.alive().values_list("sandbox", flat=True))
    fit = [each for each in told if each.get("allowed")]
    if told and not fit:
        reasons = {str(each.get("reason") or "the sandbox does not hold") for each in told}
        raise Unhealthy(f"no slot takes jobs: {'; '.join(sorted(reasons))}")
    levels = {str(each.get("level")) for each in told}
    layers = [named for each in told for named in each.get("layers", {}).items()]
    return {
        "level": next((level for level in ("none", "reduced", "full") if level in levels), None),
        "fit": len(fit),
        "unfit": len(told) - len(fit),
        # Jobs are taken with a sandbox that does not hold, since ALLOW_DEGRADED_SANDBOX says so.
        "overridden": sum(each.get("level") == "none" for each in fit),
        # Each layer that some slot lacks, with the reason.
        "off": {name: layer["reason"] for name, layer in layers if not layer["active"]},
    }


def _maintenance() -> Facts:
    """Whether the chores are done: work goes on without them, until something is lost."""
    chores = list(MaintenanceChore.objects.all())
    now = timezone.now()
    facts: Facts = {
        "late": [chore.name for chore in chores if chore.is_late(now)],
        "failing": {chore.name: chore.trouble for chore in chores if chore.trouble},
    }
    if not chores or len(facts["late"]) == len(chores):
        facts["warning"] = "no maintenance program is at work"
    elif facts["late"] or facts["failing"]:
        facts["warning"] = "some chores are not done"
    return facts


_LOOKS: dict[str, Callable[[], Facts]] = {
    "database": _database,
    "storage": _storage,
    "disk": _disk,
    "slots": _slots,
    "sandbox": _sandbox,
    "audit": audit_state.health,  # what is wrong there keeps nobody from working
    "maintenance": _maintenance,
}
_ASK_DATABASE = ("slots", "sandbox", "audit", "maintenance")


def _look(name: str) -> Component:
    started = time.perf_counter()
    try:
        facts, is_healthy = _LOOKS[name](), True
    except (Unhealthy, DatabaseError, InterfaceError, OSError) as error:
        is_detail_ours = isinstance(error, Unhealthy)
        facts = {"reason": str(error) if is_detail_ours else f"{type(error).__name__}"}
        is_healthy = False
    return Component(name, is_healthy, round((time.perf_counter() - started) * 1000, 1), facts)


def _failing(name: str, reason: str) -> Component:
    return Component(name, is_healthy=False, latency_ms=0.0, facts={"reason": reason})


def _look_at_database() -> list[Component]:
    """Look at it and at what only it can tell, which is not asked where it is away."""
    with scope.within(scope.EVERY_TENANT):
        database = _look("database")
        if not database.is_healthy:
            return [database, *(_failing(name, "the database is away") for name in _ASK_DATABASE)]
        return [database, *(_look(name) for name in _ASK_DATABASE)]


@contextmanager
def _own_connection() -> Iterator[None]:
    """Have this thread's queries go over a connection of its own, given up soon.

    Not over one of the pool: these may all be taken, or wait for a database that hangs.
    """
    own = connection.copy()
    # Two seconds are the least that there is for a connection.
    limits = {"connect_timeout": 2, "options": "-c statement_timeout=1000"}
    own.settings_dict["OPTIONS"] |= {"pool": None, **limits}
    connections["default"] = own
    try:
        yield
    finally:
        own.close()
        del connections["default"]


_WITHIN_S = 0.8  # of the second within which whoever asks after our health has an answer
# What is written for the looks is written now and then, however often strangers ask.
_PROBES: dict[tuple[str, ...], Probe[list[Component]]] = {
    ("database", *_ASK_DATABASE): Probe(_own_connection()(_look_at_database), fresh_for_s=1),
    ("storage",): Probe(lambda: [_look("storage")], fresh_for_s=10),
    ("disk",): Probe(lambda: [_look("disk")], fresh_for_s=10),
}


def look_at_all() -> list[Component]:
    """Look at everything within a second: what is silent for so long is not healthy."""
    until = time.monotonic() + _WITHIN_S
    for probe in _PROBES.values():
        probe.begin()
    silent = f"no answer within {_WITHIN_S} s"
    found = {
        component.name: component
        for names, probe in _PROBES.items()
        for component in probe.answer(until=until) or [_failing(name, silent) for name in names]
    }
    return [found[name] for name in _LOOKS]


@require_safe
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "live"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """The installation can take and do work; 503 names what can't."""
    components = look_at_all()
    failing = [each for each in components if not each.is_healthy]
    if failing:
        return problem_response(request, _not_ready(failing))
    answer = JsonResponse({"status": "ready", "components": [each.name for each in components]})
    if start := os.environ.get(starts.VARIABLE):
        answer[starts.HEADER] = start
    return answer


def _not_ready(failing: Iterable[Component]) -> Unavailable:
    reasons = {each.name: each.facts["reason"] for each in failing}
    return Unavailable(
        "; ".join(f"{name}: {reason}" for name, reason in reasons.items()),
        code="not_ready",
        headers={"Retry-After": "5"},
        components=reasons,
    )


@require_safe
@never_cache
def detailed(request: HttpRequest) -> HttpResponse:
    """Every component with its latency and facts, for staff and for holders of ``OPS_TOKEN``."""
    components = look_at_all()
    if not has_token(request) and not components[0].is_healthy:
        return problem_response(request, _not_ready(components[:1]))  # who asks can't be known
    if components[0].is_healthy and not request.user.is_authenticated:
        try:
            rate_limit.count_stranger(request)  # before the token is looked at: it may be a guess
        except TooManyRequests as refusal:
            return problem_response(request, refusal)
    if not is_operator(request):
        problem = Unauthenticated("this is for staff, or for the ops token")
        return problem_response(request, problem)
    is_healthy = all(each.is_healthy for each in components)
    body = {
        "status": "ok" if is_healthy else "failing",
        "timestamp": timezone.now().isoformat(),
        "components": {each.name: each.to_json() for each in components},
        **(look_at_tables() if components[0].is_healthy else _NO_TABLES),
    }
    return JsonResponse(body, status=200 if is_healthy else 503)


_NO_TABLES: Facts = {"slots": [], "devices": [], "queue": {}, "files": {}}


def tables() -> Facts:
    """What only ``/health/detailed`` tells, read in this thread."""
    with scope.within(scope.EVERY_TENANT):
        return {
            "slots": _told_slots(),
            # Those that failed jobs; ``left_alone_until`` is when the next job may try them.
            "devices": [
                {
                    "host": row.host,
                    "device": row.device,
                    "failures_in_a_row": row.failures,
                    "left_alone_until": row.open_until.isoformat() if row.open_until else None,
                    "reason": row.reason,
                    "fallbacks": row.fallbacks,
                }
                for row in DeviceHealth.objects.all()
            ],
            "queue": {
                "queued": Job.objects.filter(status=Status.QUEUED).count(),
                "running": Job.objects.filter(status=Status.RUNNING).count(),
            },
            "files": {"not_removed": retention.not_removed()},
        }


_TABLES = Probe(_own_connection()(tables), fresh_for_s=1)


def look_at_tables() -> Facts:
    _TABLES.begin()
    return _TABLES.answer(until=time.monotonic() + _WITHIN_S / 4) or _NO_TABLES


def _told_slots() -> list[Facts]:
    return [
        {
            "name": slot.name,
            "lane": slot.lane,
            "started_at": slot.started_at.isoformat(),
            "heartbeat_at": slot.heartbeat_at.isoformat(),
            "sandbox": slot.sandbox,
            "ffmpeg": slot.capabilities.get("version"),
            "builds": slot.capabilities.get("builds", []),
            "devices": slot.devices,
            "hung": slot.hung,
            "troubles": slot.troubles,
        }
        for slot in Slot.objects.alive()
    ]
