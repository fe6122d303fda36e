from __future__ import annotations

import pytest

from media_jobs.ffmpeg.command import Command, Program


@pytest.mark.parametrize(("program", "read"), [("ffmpeg", "measured"), ("ffprobe", "described")])
def test_an_answer_is_read_where_its_program_gives_it(program: Program, read: str) -> None:
    command = Command(("-i", "in/0.mp4"), program=program, parse=str.upper)
    assert command.answer(stdout="described", stderr="measured") == read.upper()


def test_what_asks_for_nothing_has_no_answer() -> None:
    assert Command(("-i", "in/0.mp4")).answer(stdout="described", stderr="measured") is None
