"""Whether this machine's FFmpeg has what an operation needs, found by planning its examples."""

from __future__ import annotations

from functools import lru_cache

from media_jobs import sandbox
from media_jobs.host import builds, toolchain
from media_jobs.host.probe import unconfined
from media_jobs.operations.core import InvalidParams, Operation, parse, plan
from media_jobs.planning.plan import media_of
from media_jobs.surfaces import plans


def reason_against(operation: type[Operation]) -> str | None:
    """Say what this machine lacks for all the examples of ``operation``; None where one can run."""
    try:
        return _found(operation, toolchain.identity())
    except sandbox.SandboxUnavailable:
        return unconfined().detail


@lru_cache(maxsize=256)
def _found(operation: type[Operation], _: tuple[builds.Stamps, ...]) -> str | None:
    lacking: list[str] = []
    for example in operation.examples:
        asked = parse(operation.name, plans.request(operation, example))
        try:
            for command in plan(asked, media_of(plans.sources(asked, example))):
                toolchain.for_command(command)
        except (InvalidParams, toolchain.Lacking) as error:
            if error.code != "unavailable":
                return None
            lacking.append(error.detail)
        else:
            return None
    return lacking[0] if lacking else None
