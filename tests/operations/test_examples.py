"""Every example of every operation is run for real and measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.core import REGISTRY, Example, Operation
from tests.harness.measure import probe
from tests.harness.media import Samples
from tests.operations.workshop import Done, run

EVERY_EXAMPLE = [
    pytest.param(operation, example, id=f"{name}: {example.title}")
    for name, operation in sorted(REGISTRY.items())
    for example in operation.examples
]


@pytest.mark.parametrize(("operation", "example"), EVERY_EXAMPLE)
def test_it_works(
    operation: type[Operation], example: Example, media: Samples, tmp_path: Path
) -> None:
    done = run(media, tmp_path, operation.path, example.media, **example.params)
    expected = dict(example.expect)
    assert len(done.outputs) == expected.pop("outputs", 1 if done.outputs else 0)
    for name, value in expected.items():
        assert measured(done, name) == pytest.approx(value, abs=tolerance(name)), name


def tolerance(name: str) -> float:
    # A sound ends with its last whole packet.
    return {"duration_s": 0.06, "fps": 0.01}.get(name, 0.0)


def measured(done: Done, name: str) -> Any:
    if name in {"video", "audio"}:
        return codec(done.info, name)
    if name in {"width", "height", "fps"}:
        return {getattr(probe(path).video, name) for path in done.paths}.pop()
    if name == "duration_s":
        return done.info.duration_s
    return done.data[name]


def codec(info: MediaInfo, kind: str) -> str | None:
    if kind == "video":
        return info.video.codec if info.video else None
    return info.audio[0].codec if info.audio else None
