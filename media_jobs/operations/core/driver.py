"""Run an operation's steps to the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from media_jobs.ffmpeg.command import Command
from media_jobs.operations.core.declaration import Operation, Step
from media_jobs.operations.core.media import Media, Result

Execute = Callable[[int, Command], Any]


def drive(op: Operation, m: Media, *, execute: Execute) -> Result | None:
    """Give each command with its number to ``execute``, and its answer back to the operation."""
    steps = op.steps(m)
    done = 0
    try:
        step: Step = next(steps)
        while True:
            commands = step if isinstance(step, tuple) else (step,)
            answers = []
            for command in commands:
                answers.append(execute(done, command))
                done += 1
            step = steps.send(tuple(answers) if isinstance(step, tuple) else answers[0])
    except StopIteration as end:
        result: Result | None = end.value
        return result


def plan(op: Operation, m: Media) -> tuple[Command, ...]:
    """The commands of the first step, before a job exists; raises ``InvalidParams``."""
    step: Step = next(op.steps(m), ())
    return step if isinstance(step, tuple) else (step,)
