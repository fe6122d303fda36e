"""An example's commands and requests, planned without running anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.devices import Cpu, Device, Nvidia
from media_jobs.operations.core import (
    Example,
    Media,
    Operation,
    Source,
    drive,
    media_params,
    media_refs,
    parse,
)

_SITE = "https://example.com"


def devices(operation: type[Operation]) -> tuple[Device, ...]:
    both: tuple[Device, ...] = (Cpu(), Nvidia())
    return (
        both
        if operation.device == "any"
        else tuple(device for device in both if device.name == operation.device)
    )


def request(operation: type[Operation], example: Example) -> dict[str, Any]:
    """The parameters of an example with its media, as they are sent."""
    addresses = {
        role: f"{_SITE}/{operation.sample(name).file}" for role, name in example.media.items()
    }
    return {**media_params(operation, addresses), **example.params}


def sources(op: Operation, example: Example) -> dict[str, Source]:
    """The samples of an example by role."""
    return {
        ref.role: op.sample(example.media[ref.role]).as_source(ref.role, position)
        for position, ref in enumerate(media_refs(op))
    }


def commands(operation: type[Operation], example: Example, device: Device) -> list[Command]:
    """All commands of an example; measurements are those that the example states."""
    op = parse(operation.name, request(operation, example))
    return planned(op, Media(sources(op, example), device), example.answers)


def planned(op: Operation, m: Media, answers: Iterable[Any]) -> list[Command]:
    """All commands of an operation, where its measuring commands give ``answers``."""
    left = iter(answers)
    found: list[Command] = []

    def execute(_: int, command: Command) -> Any:
        found.append(command)
        return next(left, None) if command.parse else None

    drive(op, m, execute=execute)
    return found


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
