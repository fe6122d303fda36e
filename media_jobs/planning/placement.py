"""Where a job is to be done: the lane at its submission, the device at its start."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.audit_events import AuditEvent
from ffapi_site.lib.problems import invalid
from media_jobs.ffmpeg.devices import Cpu, Device
from media_jobs.ffmpeg.failures import Failure
from media_jobs.host import device_circuit_breaker, devices, machine
from media_jobs.models import Job, Slot, Status
from media_jobs.models.job import DeviceAsked, Lane
from media_jobs.models.slot import SILENT
from media_jobs.operations.core import REGISTRY, Operation

# A slot that restarts is back well within this time.
_STRANDED_AFTER = timedelta(seconds=60)
_MOVED_AT_ONCE = 500

_GPU_SLOTS = """
SELECT host, devices::text FROM media_jobs_slot
WHERE lane = %s AND heartbeat_at > statement_timestamp() - make_interval(secs => %s)
"""


@dataclass(frozen=True)
class Placement:
    """``reason`` says why it is not the GPU that was meant; ``gpu`` is which one was."""

    device: Device
    gpu: str = ""
    reason: str = ""

    def note(self, failure: Failure | None) -> None:
        """Tell all slots of the host what the GPU did: the job, or what left it to the CPU."""
        if failure is None:
            device_circuit_breaker.succeeded(machine.name(), self.gpu)
            return
        device_circuit_breaker.fell_back(machine.name(), self.gpu)
        if failure.code != "gpu_unsupported":  # what it could never do says nothing about it
            reason = f"{failure.code}: {failure.detail}"
            device_circuit_breaker.failed(machine.name(), self.gpu, reason)


def lane_of(operation: type[Operation], asked: str) -> Lane:
    """Raises `Invalid` where the operation can't be done on the device that is asked for."""
    if asked not in DeviceAsked.values:
        raise invalid("/device", f"one of {', '.join(DeviceAsked.values)}", "choice")
    if operation.device not in {"any", asked} and asked != DeviceAsked.AUTO:
        where = operation.device.upper()
        detail = f"{operation.name} runs on the {where} only"
        raise invalid("/device", detail, "unsupported")
    if operation.device == "cpu" or asked == DeviceAsked.CPU:
        return Lane.CPU
    if operation.device == "gpu":
        return Lane.GPU
    slots = _gpu_slots()
    has_place = bool(slots) if asked == DeviceAsked.GPU else _reason_against(slots) is None
    return Lane.GPU if has_place else Lane.CPU


def reason_against_gpu() -> str | None:
    """Say why no GPU of this installation can be used at present; None where one can."""
    return _reason_against(_gpu_slots())


def _reason_against(slots: list[tuple[str, dict[str, Any]]]) -> str | None:
    alone = device_circuit_breaker.left_alone() if slots else set()
    reasons = []
    for at, kinds in slots:
        for kind, found in kinds.items():
            if not found["available"]:
                reasons.append(f"{kind}: {found['reason']}")
            elif (at, kind) in alone:
                reasons.append(f"{kind}: failed several times in a row")
            else:
                return None
    if not devices.is_enabled():
        return "ENABLE_GPU is false"
    return "; ".join(sorted(set(reasons))) or "no slot of the GPU lane is alive"


def _gpu_slots() -> list[tuple[str, dict[str, Any]]]:
    """The host and the devices of each slot of the GPU lane; every submission asks."""
    with connection.cursor() as cursor:
        cursor.execute(_GPU_SLOTS, (Lane.GPU, SILENT.total_seconds()))
        return [(at, json.loads(kinds)) for at, kinds in cursor.fetchall()]


def place(job: Job, operation: Operation) -> Placement:
    """The device on which this slot tries ``job``: the best of its host that may be tried."""
    wanted = job.lane == Lane.GPU or job.device_asked == DeviceAsked.GPU
    if operation.device == "cpu" or job.device_asked == DeviceAsked.CPU or not wanted:
        return Placement(Cpu())
    if not devices.is_enabled():
        return _on_cpu_instead_of("none", "gpu_disabled: ENABLE_GPU is false")
    candidates = devices.usable() if job.lane == Lane.GPU else []
    # With no device that works its encoder is tried for real: it says best what is missing.
    candidates = candidates or devices.compiled_in()[:1]
    reason = "gpu_unavailable: this FFmpeg has no encoder for a GPU"
    for device in candidates:
        against = device_circuit_breaker.refusal(machine.name(), device.kind)
        if not against:
            return Placement(device, device.kind)
        reason = f"gpu_left_alone: {against}"
    return _on_cpu_instead_of(candidates[-1].kind if candidates else "none", reason)


def _on_cpu_instead_of(gpu: str, reason: str) -> Placement:
    device_circuit_breaker.fell_back(machine.name(), gpu)
    return Placement(Cpu(), gpu, reason)


def move_stranded() -> int:
    """Give the CPU lane what has waited in vain for a slot of the GPU lane; give the number.

    Some hundreds at a time: each has its record in the audit log.
    """
    if Slot.objects.alive(_STRANDED_AFTER).filter(lane=Lane.GPU).exists():
        return 0
    only_gpu = [name for name, operation in REGISTRY.items() if operation.device == "gpu"]
    waiting = Job.objects.filter(status=Status.QUEUED, lane=Lane.GPU)
    waiting = waiting.filter(run_at__lt=Now() - _STRANDED_AFTER).exclude(operation__in=only_gpu)
    with transaction.atomic():
        locked = waiting.select_for_update(skip_locked=True)[:_MOVED_AT_ONCE]
        moved = dict(locked.values_list("pk", "tenant_id"))
        for job_id, tenant_id in moved.items():
            told = {"from": Lane.GPU, "to": Lane.CPU}
            audit.record(AuditEvent.JOB_MOVED, tenant_id, job_id, details=told)
        return Job.objects.filter(pk__in=moved).update(lane=Lane.CPU)
