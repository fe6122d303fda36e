from __future__ import annotations

import io

import pytest

from storage.intake import external_references
from tests.attacks.intake_files import FTYP, avi_with_playlist, box, chunk, outside, sounds


def test_it_works() -> None:
    assert external_references.found_in(io.BytesIO(sounds(2))) is None
    led = external_references.found_in(io.BytesIO(sounds(2, outside("file:///etc/passwd"))))
    assert led is not None
    assert "other files" in led


def test_a_text_stream_in_an_avi_is_found() -> None:
    assert external_references.found_in(io.BytesIO(avi_with_playlist(b"#EXTM3U"))) is not None


def test_words_in_an_avi_are_no_text_stream() -> None:
    told = chunk(b"LIST", b"INFO" + chunk(b"ICMT", b"GAB2\0"))
    assert external_references.found_in(io.BytesIO(chunk(b"RIFF", b"AVI " + told))) is None


def test_what_is_behind_many_boxes_is_found() -> None:
    many = box(b"free", b"") * 250_000
    content = FTYP + many + sounds(1, outside("a.mov"))
    assert external_references.found_in(io.BytesIO(content)) is not None


def test_the_caller_is_told_that_it_goes_on() -> None:
    told: list[int] = []
    content = FTYP + box(b"moov", box(b"free", b"") * 100_000)
    external_references.found_in(io.BytesIO(content), lambda: told.append(1))
    assert len(told) >= 4


def test_there_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_references, "_MOST_BOXES", 1000)
    found = external_references.found_in(io.BytesIO(FTYP + box(b"moov", box(b"trak", b"") * 1000)))
    assert found is not None
    assert "more boxes" in found
