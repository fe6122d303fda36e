from __future__ import annotations

from storage.names import with_ending


def test_it_works() -> None:
    assert with_ending("film", ".mp4") == "film.mp4"
    assert with_ending("a.", ".mp4") == "a..mp4"


def test_a_stem_is_cut_where_it_is_too_long() -> None:
    assert with_ending("x" * 255, ".webm") == "x" * 250 + ".webm"
    assert with_ending("x" * 250, "-10.png") == "x" * 248 + "-10.png"
    assert with_ending("x" * 249 + ". y", ".mp4") == "x" * 249 + ".mp4"


def test_on_a_disk_its_bytes_count() -> None:
    name = with_ending("é" * 200, ".mp4", most_bytes=255)
    assert name == "é" * 125 + ".mp4"
    assert len(with_ending("\U0001f600" * 200, ".mp4", most_bytes=255).encode()) <= 255
