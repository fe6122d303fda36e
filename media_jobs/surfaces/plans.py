"""An example's commands and requests, planned without running anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.devices import Cpu, Device, Nvidia
from media_jobs.operations.core import Example, Media, Operation, media_params, media_refs, parse
from media_jobs.operations.core.driver import drive
from media_jobs.surfaces.samples import SAMPLES

_SITE = "https://example.com"


def devices(operation: type[Operation]) -> tuple[Device, ...]:
    both: tuple[Device, ...] = (Cpu(), Nvidia())
    return (
        both
        if operation.device == "any"
        else tuple(device for device in both if device.name == operation.device)
    )


def address(sample: str) -> str:
    return f"{_SITE}/{SAMPLES[sample].file}"


def request(operation: type[Operation], example: Example) -> dict[str, Any]:
    """The parameters of an example with its media, as they are sent."""
    addresses = {role: address(sample) for role, sample in example.media.items()}
    return {**media_params(operation, addresses), **example.params}


def commands(operation: type[Operation], example: Example, device: Device) -> list[Command]:
    """All commands of an example; measurements are those that the example states."""
    op = parse(operation.name, request(operation, example))
    sources = {
        ref.role: SAMPLES[example.media[ref.role]].as_source(ref.role, position)
        for position, ref in enumerate(media_refs(op))
    }
    answers: Iterator[Any] = iter(example.answers)
    planned: list[Command] = []

    def execute(_: int, command: Command) -> Any:
        planned.append(command)
        return next(answers, None) if command.parse else None

    drive(op, Media(sources, device), execute=execute)
    return planned


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
