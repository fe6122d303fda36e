from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.harness.measure import probe
from tests.harness.media import Samples


def ffapi(*words: str) -> str:
    told = io.StringIO()
    call_command("ffapi", *words, stdout=told, stderr=told)
    return told.getvalue()


def test_it_works(media: Samples, tmp_path: Path) -> None:
    told = ffapi(
        *("run", "transcode", str(media.path("film")), "--to", str(tmp_path)),
        *("--resolution", "320x180", "--fps", "10", "--crf", "35", "--no-faststart"),
    )
    video = probe(tmp_path / "film.mp4").video
    assert video is not None
    assert (video.width, video.height, video.fps) == (320, 180, 10)
    assert '"action": "encoded"' in told


def test_several_files_and_a_short_name(media: Samples, tmp_path: Path) -> None:
    clips = [str(media.path(name)) for name in ("red", "green")]
    ffapi("run", "video/concat", *clips, "--to", str(tmp_path))
    assert probe(tmp_path / "red.mp4").duration_s == pytest.approx(4, abs=0.05)
    ffapi("run", "trim", clips[0], "--end", "1", "--to", str(tmp_path / "short"))
    assert probe(tmp_path / "short" / "red.mp4").duration_s == pytest.approx(1, abs=0.05)


def test_an_analysis_prints_its_answer(media: Samples) -> None:
    assert '"format_name": "mov,mp4' in ffapi("run", "probe", str(media.path("film")))


def test_the_operations_are_listed() -> None:
    assert "video/thumbnails     Take still images from a video" in ffapi("operations")


def test_nothing_is_overwritten(media: Samples, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("mine")
    with pytest.raises(CommandError, match="is there already"):
        ffapi("run", "transcode", str(media.path("film")), "--to", str(tmp_path))
    assert (tmp_path / "film.mp4").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("transcode", "film", "--crf", "99"), "crf"),
        (("transcode", "film", "film"), "too many files"),
        (("transcode", "film", "--start", "9"), "the source ends at 4 s"),
        (("video/filter", "film", "--filters", "[{"), "filters: is no"),
        (("video/concat", "film"), "inputs: needs at least 2"),
        (("audio/extract", "silent_film"), "no audio"),
        (("transcode", "missing"), "No such file"),
        (("transcode", "letter"), "Invalid data found when processing input"),
    ],
)
def test_refusals_are_told(
    media: Samples, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "letter.mp4").write_text("Dear all")
    paths = {
        **{name: str(media.path(name)) for name in ("film", "silent_film")},
        "missing": str(tmp_path / "missing.mp4"),
        "letter": str(tmp_path / "letter.mp4"),
    }
    with pytest.raises(CommandError, match=message):
        ffapi("run", *(paths.get(word, word) for word in words), "--to", str(tmp_path / "to"))
