"""Any command is either refused in words or made into arguments that can do no harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_jobs.operations.core import (
    SAMPLES,
    InvalidParams,
    InvalidParamsGroup,
    Media,
    parse,
)
from media_jobs.operations.custom.ffmpeg import Ffmpeg
from tests.fuzz import commands, effort, invariants

MEDIA = Media(
    {
        "input_files/in_1": SAMPLES["film"].as_source("input_files/in_1", 0),
        "input_files/in_2": SAMPLES["film_mkv"].as_source("input_files/in_2", 1),
    },
    max_filters=50,
)
AT_ONCE = 100


def judged(command: object) -> str:
    """What became of a command; its arguments are checked where it is accepted."""
    asked = {
        "input_files": {"in_1": "file_1", "in_2": "file_2"},
        "output_files": {"out_1": "a.mp4", "out_2": "b.mp4"},
        "ffmpeg_command": command,
    }
    fields: list[str] = []
    try:
        args = written(asked)
    except InvalidParamsGroup as refused:
        fields = [each.field.partition("/")[0] for each in refused.errors]
    except InvalidParams as refused:
        fields = [refused.field]
    if fields:
        assert set(fields) == {"ffmpeg_command"}
        return "refused"
    invariants.check(args, aliases=2)
    return "accepted"


def written(asked: dict[str, object]) -> Sequence[str]:
    op = parse("ffmpeg", asked)
    assert isinstance(op, Ffmpeg)
    return op.command(MEDIA).args


@pytest.mark.timeout(0)
def test_any_plausible_command() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=effort.examples(500, 40), deadline=None, database=None)
    @given(st.integers(0, 2**64))
    def many_commands(seed: int) -> None:
        dice = Random(seed)  # noqa: S311 -- no secret is made of it
        for _ in range(AT_ONCE):
            seen[judged(commands.command(dice))] += 1

    effort.repeated(many_commands)
    print(f"commands: {dict(seen)}")  # noqa: T201 -- a long run tells what it did
    effort.check_shares(holds=seen["accepted"] > seen.total() / 10)
    effort.check_shares(holds=seen["refused"] > seen.total() / 10)


@settings(max_examples=effort.examples(500, 150), deadline=None)
@given(st.text(max_size=80) | st.lists(st.text(max_size=12), max_size=12))
def test_any_text(command: str | list[str]) -> None:
    assert judged(command) == "refused"


@pytest.mark.parametrize(
    "args",
    [
        ("-i", "/etc/passwd", "out/0.mp4"),
        ("-i", "in/0.mp4", "/home/x.mp4"),
        ("-i", "in/0.mp4", "out/../x.mp4"),
        ("-i", "in/0.mp4", "-attach", "x", "out/0.mp4"),
        ("-i", "in/0.mp4", "-filter:v", "movie=x", "out/0.mp4"),
        ("-i", "in/0.mp4", "-filter:v", "null,drawtext=textfile=x", "out/0.mp4"),
        ("-i", "in/0.mp4", "-filter:v", "subtitles=filename=/x", "out/0.mp4"),
        ("-i", "in/0.mp4", "-f", "tee", "out/0.mp4"),
        ("-i", "in/0.mp4", "-c:v", "/x", "out/0.mp4"),
        ("-i", "in/0.mp4", "out/0.mp4", "out/0.mp4"),
        ("-i", "in/0.mp4", "out/0.mp4", "-crf", "1"),
    ],
)
def test_the_checker_sees_what_is_wrong(args: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError):
        invariants.check(args, aliases=2)
