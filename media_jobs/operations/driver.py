"""Run an operation's steps to the end, skipping what an earlier attempt has measured already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from media_jobs.ffmpeg.command import Command
from media_jobs.operations.declaration import Operation, Step
from media_jobs.operations.media import Media, Result

Execute = Callable[[int, Command], Any]
OnAnswer = Callable[[int, Any], None]


def drive(
    op: Operation,
    m: Media,
    *,
    answered: Sequence[Any] = (),
    execute: Execute,
    on_answer: OnAnswer,
) -> Result | None:
    """Give each command to ``execute`` in order and its answer back to the operation.

    ``answered[i]`` is the answer of command ``i`` in an earlier attempt. Only a measuring command
    is spared by it: the files that others left lay in that attempt's folder and are gone.
    """
    steps = op.steps(m)
    done = 0
    try:
        step: Step = next(steps)
        while True:
            commands = step if isinstance(step, tuple) else (step,)
            answers = []
            for command in commands:
                if command.parse is None or done >= len(answered):
                    answers.append(execute(done, command))
                    on_answer(done, answers[-1])
                else:
                    answers.append(answered[done])
                done += 1
            step = steps.send(tuple(answers) if isinstance(step, tuple) else answers[0])
    except StopIteration as end:
        result: Result | None = end.value
        return result


def plan(op: Operation, m: Media) -> Step | Result | None:
    """The first step, for a look before a job exists; raises ``InvalidParams``."""
    try:
        return next(op.steps(m))
    except StopIteration as end:
        result: Result | None = end.value
        return result
