"""Whether the process lives, whether the installation can take work, and what of it can't."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.audit_chain import state as audit_state
from ffapi_site.lib import scope
from ffapi_site.lib.ids import new_id
from ffapi_site.lib.operators import is_operator
from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import Unauthenticated, Unavailable
from media_jobs.models import DeviceHealth, Job, Slot, Status

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
    return {
        "level": next((level for level in ("none", "reduced", "full") if level in levels), None),
        "fit": len(fit),
        "unfit": len(told) - len(fit),
        # Jobs are taken with a sandbox that does not hold, since ALLOW_DEGRADED_SANDBOX says so.
        "overridden": sum(each.get("level") == "none" for each in fit),
        "off": _layers_off(told),
    }


def _layers_off(told: Iterable[Facts]) -> dict[str, str]:
    """Each layer that some slot lacks, with the reason."""
    layers = [(name, layer) for each in told for name, layer in each.get("layers", {}).items()]
    return {name: layer["reason"] for name, layer in layers if not layer["active"]}


def _audit() -> Facts:
    """How the audit log is sealed: what is wrong there keeps nobody from working."""
    return audit_state.health()


_LOOKS: dict[str, Callable[[], Facts]] = {
    "database": _database,
    "storage": _storage,
    "disk": _disk,
    "slots": _slots,
    "sandbox": _sandbox,
    "audit": _audit,
}


def _look(name: str) -> Component:
    started = time.perf_counter()
    try:
        facts, is_healthy = _LOOKS[name](), True
    except (Unhealthy, DatabaseError, InterfaceError, OSError) as error:
        is_detail_ours = isinstance(error, Unhealthy)
        facts = {"reason": str(error) if is_detail_ours else f"{type(error).__name__}"}
        is_healthy = False
    return Component(name, is_healthy, round((time.perf_counter() - started) * 1000, 1), facts)


def look_at_all() -> list[Component]:
    return [_look(name) for name in _LOOKS]


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
    return JsonResponse({"status": "ready", "components": [each.name for each in components]})


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
    if not is_operator(request):
        problem = Unauthenticated("this is for staff, or for the ops token")
        return problem_response(request, problem)
    scope.enter(scope.EVERY_TENANT)
    components = look_at_all()
    is_healthy = all(each.is_healthy for each in components)
    body = {
        "status": "ok" if is_healthy else "failing",
        "timestamp": timezone.now().isoformat(),
        "components": {each.name: each.to_json() for each in components},
        "slots": _told_slots() if components[0].is_healthy else [],
        "devices": _devices() if components[0].is_healthy else [],
        "queue": _queue() if components[0].is_healthy else {},
    }
    return JsonResponse(body, status=200 if is_healthy else 503)


def _told_slots() -> list[Facts]:
    return [
        {
            "name": slot.name,
            "lane": slot.lane,
            "started_at": slot.started_at.isoformat(),
            "heartbeat_at": slot.heartbeat_at.isoformat(),
            "sandbox": slot.sandbox,
            "ffmpeg": slot.capabilities.get("version"),
            "devices": slot.devices,
            "hung": slot.hung,
            "troubles": slot.troubles,
        }
        for slot in Slot.objects.alive()
    ]


def _devices() -> list[Facts]:
    """Devices that failed jobs; ``left_alone_until`` is when the next job may try them."""
    return [
        {
            "host": row.host,
            "device": row.device,
            "failures_in_a_row": row.failures,
            "left_alone_until": row.open_until.isoformat() if row.open_until else None,
            "reason": row.reason,
            "fallbacks": row.fallbacks,
        }
        for row in DeviceHealth.objects.all()
    ]


def _queue() -> Facts:
    return {
        "queued": Job.objects.filter(status=Status.QUEUED).count(),
        "running": Job.objects.filter(status=Status.RUNNING).count(),
    }
