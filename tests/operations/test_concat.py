from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_jobs.operations.core import InvalidParams, Media
from media_jobs.operations.core.driver import plan
from tests.harness.measure import filtered, frame_times, rgb
from tests.harness.media import Samples
from tests.operations.workshop import Done, declared, run, sources_of

RED, GREEN, BLUE = (254, 0, 0), (0, 128, 0), (0, 0, 254)


def roles(*samples: str) -> dict[str, str]:
    return {f"inputs/{place}": sample for place, sample in enumerate(samples)}


def joined(media: Samples, folder: Path, *samples: str, **params: Any) -> Done:
    return run(media, folder, "video/concat", roles(*samples), **params)


def colour_at(done: Done, time_s: float) -> tuple[int, int, int]:
    return rgb(done.path, time_s, crop="iw/2:ih/2")


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 16 for a, b in zip(one, other, strict=True))


def test_it_works(media: Samples, tmp_path: Path) -> None:
    """Mixed sizes and rates, a silent clip between two with sound."""
    done = joined(media, tmp_path, "red", "blue_silent", "green")
    assert done.data == {"action": "encoded", "starts": [0, 2, 4]}
    frame_s = 1 / 30
    for start, before, after in ((2, RED, BLUE), (4, BLUE, GREEN)):
        assert near(colour_at(done, start - frame_s), before)
        assert near(colour_at(done, start), after)
    assert len(frame_times(done.path)) == 180
    assert silences(done.path) == pytest.approx([2, 4], abs=0.05)


def silences(path: Path) -> list[float]:
    told = filtered(path, "[0:a]silencedetect=n=-60dB:d=0.5")
    return [
        float(line.split(":")[1].split("|")[0])
        for line in told.splitlines()
        if "silence_start" in line or "silence_end" in line
    ]


def test_clips_of_one_kind_are_copied(media: Samples, tmp_path: Path) -> None:
    done = joined(media, tmp_path, "red", "green", "red")
    assert done.data == {"action": "copied", "starts": [0, 2, 4]}
    assert "copy" in done.commands[0].args
    assert near(colour_at(done, 1.96), RED)
    assert near(colour_at(done, 2), GREEN)
    assert near(colour_at(done, 4), RED)
    assert frame_times(done.path)[:2] == pytest.approx([0, 0.04])


def test_a_fade_shows_both(media: Samples, tmp_path: Path) -> None:
    done = joined(media, tmp_path, "red", "green", transition={"type": "fade", "duration": 1})
    red, green, _ = colour_at(done, 1.5)
    assert red > 60
    assert green > 30
    assert done.info.duration_s == pytest.approx(3, abs=0.05)


def test_silent_by_wish(media: Samples, tmp_path: Path) -> None:
    assert not joined(media, tmp_path, "red", "green", audio="none").info.has_audio


def test_awkward_sources(media: Samples, tmp_path: Path) -> None:
    done = joined(
        media, tmp_path, "rotated_film", "odd_film", "varying_film", "deep_film", "surround_film"
    )
    video = done.info.video
    assert video is not None
    assert (video.width, video.height) == (360, 640)
    assert done.info.duration_s == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize(
    ("samples", "params", "field"),
    [
        (("film", "quiet_music"), {}, "inputs/1"),
        (("film", "photo"), {}, "inputs/1"),
        (("red", "green"), {"transition": {"duration": 2}}, "transition/duration"),
        (("red", "green", "red"), {"transition": {"duration": 1}}, "transition/duration"),
        (("red",) * 21, {"transition": {}}, "inputs"),
    ],
)
def test_what_cannot_work_is_refused(
    media: Samples, samples: tuple[str, ...], params: dict[str, Any], field: str
) -> None:
    op = declared("video/concat", roles(*samples), params)
    with pytest.raises(InvalidParams) as refused:
        plan(op, Media(sources_of(op, roles(*samples), media)))
    assert refused.value.field == field
