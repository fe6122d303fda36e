from __future__ import annotations

import sys
from dataclasses import dataclass

from django.conf import settings

from ffapi_site.serving import tied
from media_jobs.host import devices


@dataclass(frozen=True)
class Program:
    """A process that the supervisor keeps running."""

    name: str
    command: tuple[str, ...]
    stop_within_s: int
    user: str = ""
    """Whose it is, where that is not whoever serves."""


def _manage(command: str, *arguments: str) -> tuple[str, ...]:
    """What `serve` checked before it starts any is not checked by each of them again."""
    return (sys.executable, "manage.py", command, "--skip-checks", *arguments)


def database() -> Program:
    command = (sys.executable, "-m", "ffapi_site.serving.database")
    return Program("database", command, stop_within_s=45)


def web(user: str = "") -> Program:
    gunicorn = (sys.executable, "-m", "gunicorn", "-c", "python:ffapi_site.serving.web")
    # By itself, and not as a fork: whoever takes it over finds nothing of what others loaded.
    command = (sys.executable, "-m", tied.__name__, *gunicorn)
    return Program("web", command, stop_within_s=15, user=user)


def slot(lane: str, number: int) -> Program:
    command = _manage("slot", "--lane", lane, "--number", str(number))
    name = f"slot-{number}" if lane == "cpu" else f"slot-{lane}-{number}"
    # A slot ends its job within the grace or gives it back; the rest is for doing so.
    return Program(name, command, stop_within_s=settings.SHUTDOWN_GRACE_SECONDS + 10)


def sealer() -> Program:
    return Program("audit-sealer", _manage("audit", "seal"), stop_within_s=10)


def maintenance() -> Program:
    return Program("maintenance", _manage("maintenance"), stop_within_s=10)


def webhooks() -> Program:
    return Program("webhooks", _manage("webhooks"), stop_within_s=10)


def lanes() -> dict[str, int]:
    """Slots by lane; the GPU has one where there is a GPU, unless the settings say otherwise."""
    if "gpu" in settings.LANES:
        return dict(settings.LANES)
    return settings.LANES | {"gpu": devices.slots()}


def programs(web_user: str = "") -> list[Program]:
    """All of them, in the order in which they are started; the database is stopped last."""
    slots = [
        slot(lane, number)
        for lane, slots_of_lane in lanes().items()
        for number in range(1, slots_of_lane + 1)
    ]
    embedded = [database()] if settings.EMBEDDED_DATABASE else []
    return [*embedded, web(web_user), sealer(), maintenance(), webhooks(), *slots]
