from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_jobs.operations.core import InvalidParams, Media
from media_jobs.operations.core.driver import plan
from tests.harness.measure import difference, frame_times, grey_pixels
from tests.harness.media import Samples
from tests.operations.workshop import declared, run, sources_of


def test_it_works(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "image/to-video", "photo", duration=2, fps=30)
    assert len(frame_times(done.path)) == 60
    photo = grey_pixels(media.path("photo"))
    assert difference(photo, grey_pixels(done.path, 0)) < 3
    assert difference(photo, grey_pixels(done.path, 1.9)) < 3


@pytest.mark.parametrize("motion", ["zoom", "pan"])
def test_motion_moves(media: Samples, tmp_path: Path, motion: str) -> None:
    done = run(
        media,
        tmp_path,
        "image/to-video",
        "photo",
        duration=1,
        motion=motion,
        resolution={"width": 320},
    )
    assert len(frame_times(done.path)) == 25
    assert difference(grey_pixels(done.path, 0), grey_pixels(done.path, 0.9)) > 5


def test_it_is_as_long_as_its_sound(media: Samples, tmp_path: Path) -> None:
    roles = {"input": "logo", "audio": "quiet_music"}
    done = run(media, tmp_path, "image/to-video", roles)
    assert done.info.duration_s == pytest.approx(8, abs=0.05)
    assert done.info.has_audio


def test_silence_follows_a_short_sound(media: Samples, tmp_path: Path) -> None:
    roles = {"input": "logo", "audio": "film"}
    done = run(media, tmp_path, "image/to-video", roles, duration=6, fps=10)
    assert done.info.audio[0].duration_s == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize(
    ("roles", "params", "field"),
    [
        ({"input": "film"}, {}, "input"),
        ({"input": "quiet_music"}, {}, "input"),
        ({"input": "photo", "audio": "silent_film"}, {}, "audio"),
        ({"input": "photo"}, {"duration": 0.01}, "duration"),
    ],
)
def test_what_cannot_work_is_refused(
    media: Samples, roles: dict[str, str], params: dict[str, Any], field: str
) -> None:
    op = declared("image/to-video", roles, params)
    with pytest.raises(InvalidParams) as refused:
        plan(op, Media(sources_of(op, roles, media)))
    assert refused.value.field == field
