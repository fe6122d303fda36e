"""The commands of every example as text, kept beside the tests: a change of argv is seen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from media_jobs.ffmpeg.command import Command
from media_jobs.operations.core import REGISTRY, Example, Operation
from media_jobs.surfaces.plans import commands, devices


def file_name(operation: type[Operation]) -> str:
    return f"{operation.name.replace('/', '-')}.txt"


def pages() -> dict[str, str]:
    return {file_name(each): page(each) for each in REGISTRY.values()}


def page(operation: type[Operation]) -> str:
    parts = [part for example in operation.examples for part in entries(operation, example)]
    return "\n".join(parts)


def entries(operation: type[Operation], example: Example) -> Iterator[str]:
    for device in devices(operation):
        lines = [line(command) for command in commands(operation, example, device)]
        yield "\n".join([f"# {example.title} [{device.name}]", *lines, ""])


def line(command: Command) -> str:
    return shlex.join([command.program, *command.args])
