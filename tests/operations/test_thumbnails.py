from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from media_jobs.operations.building.frame_selection import Frame, choose
from media_jobs.operations.core import InvalidParams, Media
from media_jobs.operations.core.driver import drive, plan
from tests.harness.measure import difference, every_grey_picture, frame_times, grey_pixels, probe
from tests.harness.media import Samples
from tests.operations.workshop import Done, declared, run, sources_of


def thumbnails(media: Samples, folder: Path, sample: str, **params: Any) -> Done:
    return run(media, folder, "video/thumbnails", sample, format="png", **params)


def times(done: Done) -> list[float]:
    return [each["timestamp"] for each in done.data["thumbnails"]]


def test_it_works(media: Samples, tmp_path: Path) -> None:
    """No black, no blurred, spread: seconds 3 to 6 are blurred, 6 to 9 black."""
    done = thumbnails(media, tmp_path, "smart_film", count=4)
    found = times(done)
    assert all(time < 3 or time >= 9 for time in found)
    assert sum(time < 3 for time in found) == 2
    assert min(b - a for a, b in pairwise(found)) > 0.5


def test_times_are_those_of_the_pictures(media: Samples, tmp_path: Path) -> None:
    done = thumbnails(media, tmp_path, "film", timestamps=[0, 1.01, 2.5, 3.99])
    every = frame_times(media.path("film"))
    pictures = dict(zip(every, every_grey_picture(media.path("film"), size=64), strict=True))
    for path, asked in zip(done.paths, [0, 1.01, 2.5, 3.99], strict=True):
        shown = max(time for time in every if time <= asked + 1e-6)
        taken = grey_pixels(path, size=64)
        nearest = min(every, key=lambda time: difference(pictures[time], taken))
        assert nearest == shown


def test_uniform_takes_the_middles(media: Samples, tmp_path: Path) -> None:
    done = thumbnails(media, tmp_path, "film", count=4, method="uniform")
    assert times(done) == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.041)


def test_random_is_the_same_again(media: Samples, tmp_path: Path) -> None:
    first = thumbnails(media, tmp_path / "one", "film", count=3, method="random")
    again = thumbnails(media, tmp_path / "two", "film", count=3, method="random")
    assert times(first) == times(again)
    assert len(set(times(first))) == 3


@pytest.mark.parametrize(
    ("sample", "size"),
    [("rotated_film", (180, 320)), ("odd_film", (320, 180)), ("varying_film", (320, 180))],
)
def test_awkward_sources(
    media: Samples, tmp_path: Path, sample: str, size: tuple[int, int]
) -> None:
    done = thumbnails(media, tmp_path, sample, count=2, width=size[0])
    for path in done.paths:
        video = probe(path).video
        assert video is not None
        assert (video.width, video.height) == size


def test_too_few_good_frames_are_filled_up() -> None:
    black = [Frame(float(second), 1000.0, 16.0, 0.0) for second in range(10)]
    good = Frame(4.5, 5.0, 100.0, 100.0)
    chosen = choose([*black, good], 3, 10.0)
    assert good in chosen
    assert len(chosen) == 3


@pytest.mark.parametrize(
    ("sample", "params", "field"),
    [
        ("film", {"timestamps": [1, 4]}, "timestamps/1"),
        ("red", {"count": 50, "method": "uniform", "width": 16, "fit": "cover"}, "fit"),
        ("quiet_music", {}, "input"),
        ("photo", {}, "input"),
        ("grey", {"count": 30}, "count"),
    ],
)
def test_what_cannot_work_is_refused(
    media: Samples, sample: str, params: dict[str, Any], field: str
) -> None:
    op = declared("video/thumbnails", {"input": sample}, params)
    with pytest.raises(InvalidParams) as refused:
        plan(op, Media(sources_of(op, {"input": sample}, media)))
    assert refused.value.field == field


def test_a_film_without_one_picture_that_can_be_decoded_is_refused(media: Samples) -> None:
    """Where a measurement found nothing, that is told; nothing is divided by its number."""
    op = declared("video/thumbnails", {"input": "film"}, {"count": 2})
    with pytest.raises(InvalidParams) as refused:
        drive(op, Media(sources_of(op, {"input": "film"}, media)), execute=lambda *_: [])
    assert (refused.value.field, refused.value.code) == ("input", "undecodable")
