"""Run an operation's steps to the end, skipping what an earlier attempt has measured already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from media_jobs.ffmpeg.command import Command
from media_jobs.operations.declaration import Operation, Step
from media_jobs.operations.media import Media, Result

Execute = Callable[[int, Command], Any]
OnAnswer = Callable[[int, Any], None]
_NOTHING: Final[Mapping[int, Any]] = MappingProxyType({})


def drive(
    op: Operation,
    m: Media,
    *,
    answered: Mapping[int, Any] = _NOTHING,
    execute: Execute,
    on_answer: OnAnswer = lambda _index, _answer: None,
) -> Result | None:
    """Give each command to ``execute`` in order and its answer back to the operation.

    ``on_answer`` is told what a measuring command found, and ``answered`` is what it was told in an
    earlier attempt. Other commands are run again: the files that they left are gone.
    """
    steps = op.steps(m)
    done = 0
    try:
        step: Step = next(steps)
        while True:
            commands = step if isinstance(step, tuple) else (step,)
            answers = []
            for command in commands:
                if command.parse is not None and done in answered:
                    answers.append(answered[done])
                else:
                    answers.append(execute(done, command))
                    if command.parse is not None:
                        on_answer(done, answers[-1])
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
