"""What is made from the declarations is fresh, and true of the samples that it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from media_jobs.operations.core import SAMPLES
from media_jobs.surfaces import docs, goldens
from tests.harness.media import Samples

ROOT = Path(__file__).parents[2]


def test_it_is_fresh() -> None:
    call_command("ffapi", "docs", "--check")


@pytest.mark.parametrize("folder", ["docs/operations", "tests/goldens"])
def test_stale_is_seen_and_made_anew(folder: str, tmp_path: Path, settings: Settings) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match=f"stale: .*{folder}/"):
        call_command("ffapi", "docs", "--check")
    call_command("ffapi", "docs")
    call_command("ffapi", "docs", "--check")
    made = next((tmp_path / folder).iterdir())
    made.write_text("old")
    (made.parent / "gone.txt").write_text("no operation has this name")
    with pytest.raises(CommandError, match=f"stale: .*{folder}/"):
        call_command("ffapi", "docs", "--check")
    call_command("ffapi", "docs")
    assert made.read_text() != "old"
    assert not (made.parent / "gone.txt").exists()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_described_samples_are_like_the_made_ones(media: Samples, name: str) -> None:
    told, real = SAMPLES[name].info, media(name).info
    assert told.format_name == real.format_name
    assert (told.video is None) == (real.video is None)
    if told.video and real.video:
        for trait in ("codec", "width", "height", "fps", "rotation"):
            assert getattr(told.video, trait) == getattr(real.video, trait)
    assert [track.codec for track in told.audio] == [track.codec for track in real.audio]
    assert [track.sample_rate for track in told.audio] == [
        track.sample_rate for track in real.audio
    ]
    if told.duration_s:
        assert told.duration_s == pytest.approx(real.duration_s, abs=0.05)


def test_pages_tell_all() -> None:
    page = docs.pages()["transcode.md"]
    assert "| `crf` | whole number from 0 to 63 |" in page
    assert "h264_nvenc" in page
    assert "-d '{" in page
    assert "video/thumbnails" in docs.pages()["README.md"]


def test_no_machine_path_is_in_them() -> None:
    for text in (docs.pages() | goldens.pages()).values():
        assert str(ROOT) not in text


def test_the_page_for_newcomers_quotes_what_there_is() -> None:
    page = (ROOT / "docs/adding-an-operation.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    files = ("media_jobs/operations/audio/extract.py", "tests/operations/test_extract.py")
    source = "".join((ROOT / file).read_text() for file in files)
    assert blocks
    assert [block for block in blocks if block not in source] == []
