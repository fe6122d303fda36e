"""A source whose end is missing is never passed off as whole, whatever is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Tenant
from media_jobs.engine import jobs
from media_jobs.models import Job, Status
from media_jobs.operations.core import REGISTRY, media_params
from tests.engine.conftest import keep_path
from tests.harness.media import Samples
from tests.worker.test_cut_off import remade

pytestmark = pytest.mark.django_db

# Something that the first half of the source is enough for; of others, their first example.
_ASKED: dict[str, dict[str, Any]] = {
    "transcode": {"resolution": "360p"},
    "audio/extract": {"format": "wav"},
    "image/to-video": {"duration": 1},
    "video/trim": {"start": 0, "duration": 1},
    "video/thumbnails": {"timestamps": [0, 1]},
    "video/filter": {"filters": [{"type": "grayscale"}]},
    "video/concat": {"fps": 25},
    "ffmpeg": {"ffmpeg_command": "-i {{in_1}} -t 1 {{out_1}}", "output_files": {"out_1": "x.mp4"}},
}


@pytest.mark.parametrize("operation", sorted(REGISTRY))
def test_it_is_told_or_refused(
    operation: str,
    tenant: Tenant,
    work: Callable[[Job], Job],
    media: Samples,
    tmp_path: Path,
) -> None:
    declared = REGISTRY[operation]
    example = declared.examples[0]
    first = declared.sample(next(iter(example.media.values()))).as_source("", 0)
    cut = half(media, tmp_path, "photo.jpg" if first.is_image else "film.mp4")
    file = keep_path(tenant, cut).id
    params = media_params(declared, dict.fromkeys(example.media, file))
    params |= _ASKED.get(operation, example.params)
    job = work(jobs.submit(tenant, jobs.Submission(operation, params)))
    if job.status == Status.COMPLETED:
        assert f"{cut.name} breaks off in the middle: its end is missing" in job.warnings
    else:
        assert job.error is not None
        assert job.error["code"] in {"input_truncated", "input_unreadable", "output_unverified"}


def half(media: Samples, folder: Path, name: str) -> Path:
    """Begin a film whose index stands in front, or a picture, and break off."""
    whole = folder / f"whole-{name}"
    sample, args = ("photo", ()) if name.endswith("jpg") else ("film", ("-c", "copy"))
    front = () if name.endswith("jpg") else ("-movflags", "+faststart")
    remade(media.path(sample), whole, *args, *front)
    cut = folder / name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    return cut
