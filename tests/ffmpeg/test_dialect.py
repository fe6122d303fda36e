from __future__ import annotations

import pytest

from media_jobs.ffmpeg.dialect import spelled

TODAY = ("-i", "in/0.mp4", "-enc_time_base", "demux", "-metadata", "title=demux", "out/a.mp4")
BEFORE = ("-i", "in/0.mp4", "-enc_time_base", "-1", "-metadata", "title=demux", "out/a.mp4")


@pytest.mark.parametrize("version", ["5.1.9-0+deb12u1", "n6.0", "4.4.2"])
def test_an_older_ffmpeg_is_told_in_its_words(version: str) -> None:
    assert spelled(TODAY, version) == BEFORE


@pytest.mark.parametrize("version", ["n9.0.2-17-g2a571b6068-20260930", "6.1", "7.1.1", "10.0"])
def test_a_newer_one_is_told_what_was_written(version: str) -> None:
    assert spelled(TODAY, version) == TODAY


@pytest.mark.parametrize("version", ["", "N-123456-gdeadbeef", "git-2026-01-01"])
def test_one_of_no_known_version_counts_as_new(version: str) -> None:
    assert spelled(TODAY, version) == TODAY
