"""Find out at submission what can't work, before a row exists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from accounts.models import ApiKey, Tenant
from accounts.quotas import bounds
from ffapi_site.lib import netguard
from ffapi_site.lib.problems import FieldError, Invalid, at, invalid
from ffapi_site.lib.url_policy import url_policy
from media_jobs.ffmpeg.devices import Cpu, Device
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import scratch, toolchain
from media_jobs.host.capabilities import capabilities
from media_jobs.host.probe import unconfined
from media_jobs.models.job import DeviceAsked, Lane
from media_jobs.operations import core
from media_jobs.planning import media_limits, placement, resource_estimate
from media_jobs.planning.resource_estimate import Weight
from media_jobs.sandbox import SandboxUnavailable
from storage.models import File


@dataclass(frozen=True)
class PlannedInput:
    role: str
    url: str
    file: File | None


@dataclass(frozen=True)
class Planned:
    operation: core.Operation
    inputs: tuple[PlannedInput, ...]
    lane: Lane
    weight: Weight


def plan(
    tenant: Tenant,
    name: str,
    params: dict[str, object],
    device: str = DeviceAsked.AUTO,
    *,
    api_key: ApiKey | None = None,
) -> Planned:
    """Check parameters, media and the first command of what is asked for.

    Media behind URLs are not fetched here: what only they could tell fails the job later, with the
    same words. Raises `Invalid`; its pointers begin at ``/operation``, ``/params`` or ``/device``.
    Raises `Unavailable` where FFmpeg may not be asked what it can do.
    """
    try:
        operation = core.parse(name, params)
        inputs = tuple(_resolve(tenant, ref) for ref in core.media_refs(operation))
        sources = _sources(inputs)
        allowed = bounds.of(tenant, api_key)
        media_limits.check_wish(operation, allowed)
        media_limits.check_sources(sources, allowed)
        if len(sources) == len(inputs):
            commands = core.plan(operation, media_of(sources))
            with at("/operation"):
                for command in commands:
                    toolchain.for_command(command)
    except core.UnknownOperation as error:
        known = ", ".join(sorted(core.REGISTRY))
        raise invalid("/operation", f"unknown; there are: {known}", "unknown") from error
    except core.InvalidParamsGroup as group:
        raise _problem(group.errors) from group
    except core.InvalidParams as error:
        field = core.as_sent(name, params, error.field)
        raise _problem([core.InvalidParams(field, error.detail, error.code)]) from error
    except SandboxUnavailable as missing:
        raise unconfined() from missing
    heavy = resource_estimate.of(
        sources.values(),
        unseen=len(inputs) - len(sources),
        largest_input_mb=settings.MAX_FILE_SIZE_MB,
    )
    return Planned(operation, inputs, placement.lane_of(type(operation), device), heavy)


def _problem(errors: Iterable[core.InvalidParams]) -> Invalid:
    found = [FieldError(f"/params/{error.field}", error.detail, error.code) for error in errors]
    return Invalid("; ".join(f"{e.pointer}: {e.detail}" for e in found), errors=found)


def _resolve(tenant: Tenant, ref: core.Ref) -> PlannedInput:
    media = ref.ref
    if media.url is not None:
        with core.in_field(ref.role):
            netguard.check(media.url, url_policy())
        return PlannedInput(ref.role, media.url, None)
    file = File.objects.for_tenant(tenant).published().filter(pk=media.file).first()
    if file is None:
        raise core.InvalidParams(ref.role, f"there is no file {media.file}", "file_not_found")
    if file.media is None:
        raise core.InvalidParams(ref.role, f"{file.name} is not a medium", "not_a_medium")
    return PlannedInput(ref.role, "", file)


def _sources(inputs: tuple[PlannedInput, ...]) -> dict[str, core.Source]:
    """Those that are known before the job runs: the stored ones."""
    return {
        each.role: core.Source(
            path=scratch.input_path(position, each.file.name),
            info=MediaInfo.from_json(each.file.media),
            name=each.file.name,
            role=each.role,
        )
        for position, each in enumerate(inputs)
        if each.file is not None and each.file.media is not None
    }


def media_of(sources: dict[str, core.Source], device: Device | None = None) -> core.Media:
    """What an operation plans with on this machine; on the CPU where nothing else is said."""
    return core.Media(
        sources=sources,
        device=device or Cpu(),
        capabilities=capabilities(),
        max_filters=settings.MAX_FFMPEG_FILTERS,
        needs_duration_limit=settings.REQUIRE_DURATION_LIMIT,
    )
