from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_jobs.operations.core import InvalidParams, Media
from media_jobs.operations.core.driver import plan
from tests.harness.measure import difference, frame_times, grey_pixels
from tests.harness.media import Samples
from tests.operations.workshop import declared, run, sources_of

FRAME_S = 1 / 25


def nearest_frame(film: Path, picture: bytes, around_s: float) -> float:
    """The time of the source's frame that looks most like a picture."""
    times = [around_s + step * FRAME_S for step in range(-3, 4)]
    return min(times, key=lambda time: difference(grey_pixels(film, time, size=64), picture))


def test_it_works(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "video/trim", "film", start=1.2, end=3)
    times = frame_times(done.path)
    assert len(times) == 45
    first = grey_pixels(done.path, 0, size=64)
    last = grey_pixels(done.path, times[-1] - 0.001, size=64)
    assert nearest_frame(media.path("film"), first, 1.2) == pytest.approx(1.2)
    assert nearest_frame(media.path("film"), last, 2.96) == pytest.approx(2.96)
    audio = done.info.audio[0].duration_s
    assert audio == pytest.approx(1.8, abs=0.03)


def test_a_key_frame_cut_copies(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "trim", "film", start=1, duration=2, accuracy="keyframe")
    assert done.result is not None
    assert done.result.warnings == ("it begins at the key frame at or before start",)
    source = grey_pixels(media.path("film"), 0, size=64)
    assert difference(source, grey_pixels(done.path, 0, size=64)) == 0


@pytest.mark.parametrize(
    ("sample", "codecs"),
    [
        ("silent_film", ("h264", None)),
        ("odd_film", ("h264", None)),
        ("deep_film", ("hevc", None)),
        ("surround_film", ("h264", "aac")),
        ("quiet_music", (None, "pcm_s16le")),
        ("varying_film", ("h264", None)),
        ("rotated_film", ("h264", "aac")),
    ],
)
def test_awkward_sources(
    media: Samples, tmp_path: Path, sample: str, codecs: tuple[str | None, str | None]
) -> None:
    info = run(media, tmp_path, "video/trim", sample, start=0.4, duration=1).info
    found = (info.video.codec if info.video else None, info.audio[0].codec if info.audio else None)
    assert found == codecs
    assert info.duration_s == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"start": 9}, "start"),
        ({"start": 3, "end": 3}, "end"),
        ({"end": 2, "duration": 1}, "duration"),
        ({"start": 3.97}, "start"),
    ],
)
def test_what_cannot_work_is_refused(media: Samples, params: dict[str, Any], field: str) -> None:
    op = declared("video/trim", {"input": "film"}, params)
    with pytest.raises(InvalidParams) as refused:
        plan(op, Media(sources_of(op, {"input": "film"}, media)))
    assert refused.value.field == field


def test_a_part_is_as_long_as_asked_where_the_length_is_an_estimate(
    media: Samples, tmp_path: Path
) -> None:
    """Without an index the length of a varying rate is guessed: here wrong by half a minute."""
    guessed_s = media("guessed_music").info.duration_s or 0.0
    assert abs(guessed_s - 120) > 30
    part = {"start": guessed_s - 2, "end": guessed_s + 1}
    done = run(media, tmp_path, "video/trim", "guessed_music", **part)
    assert done.info.duration_s == pytest.approx(3.0, abs=0.1)


def test_the_end_of_three_hours_is_as_long_as_asked(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "video/trim", "three_hours", start=10788, end=10795)
    assert done.info.duration_s == pytest.approx(7.0, abs=0.05)


def test_a_film_in_ogg_stays_a_film(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "video/trim", "ogg_film", start=1, end=3)
    assert done.info.video is not None
    assert done.info.has_audio
    assert done.info.duration_s == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("accuracy", ["frame", "keyframe"])
@pytest.mark.parametrize("sample", ["film", "quiet_music"])
@pytest.mark.parametrize(
    ("params", "field"),
    [({"duration": 1e-7}, "duration"), ({"start": 1e-9, "end": 2e-9}, "end")],
)
def test_a_part_of_nothing_is_not_the_whole(
    media: Samples, sample: str, params: dict[str, Any], field: str, accuracy: str
) -> None:
    """FFmpeg counts microseconds, and takes a length of none for no bound at all."""
    op = declared("video/trim", {"input": sample}, params | {"accuracy": accuracy})
    with pytest.raises(InvalidParams, match="is shorter than one") as refused:
        plan(op, Media(sources_of(op, {"input": sample}, media)))
    assert refused.value.field == field


def test_the_start_that_a_refusal_names_works(media: Samples, tmp_path: Path) -> None:
    op = declared("video/trim", {"input": "film"}, {"start": 3.97})
    with pytest.raises(InvalidParams, match=r"the last frame begins at 3\.96 s$"):
        plan(op, Media(sources_of(op, {"input": "film"}, media)))
    done = run(media, tmp_path, "video/trim", "film", start=3.96)
    assert frame_times(done.path) == pytest.approx([0])


def test_a_frame_may_be_written_in_whole_milliseconds(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "video/trim", "blue_silent", start=0.5, duration=0.033)
    assert len(frame_times(done.path)) == 1


def test_a_copy_within_the_last_frame_begins_at_a_key_frame(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "video/trim", "film", start=3.97, accuracy="keyframe")
    assert done.info.video is not None


@pytest.mark.parametrize("accuracy", ["frame", "keyframe"])
@pytest.mark.parametrize("end", [1, 2])
def test_a_part_before_the_first_frame_is_refused(
    media: Samples, end: float, accuracy: str
) -> None:
    op = declared("video/trim", {"input": "late_picture"}, {"end": end, "accuracy": accuracy})
    with pytest.raises(InvalidParams, match=r"the first frame begins at 2(\.02)? s") as refused:
        plan(op, Media(sources_of(op, {"input": "late_picture"}, media)))
    assert refused.value.field == "end"


def test_a_part_with_the_first_frame_is_made(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "video/trim", "late_picture", start=1, end=2.1)
    assert done.info.video is not None


def test_a_copy_shows_a_slide_that_began_before_it(media: Samples, tmp_path: Path) -> None:
    part = {"start": 3, "end": 8, "accuracy": "keyframe"}
    done = run(media, tmp_path, "video/trim", "slide_show", **part)
    assert done.info.video is not None
    assert done.info.audio[0].duration_s == pytest.approx(8, abs=5)
