"""The checks around every attack see what they are there to see."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.attacks.ground import Ground
from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd
from tests.harness.programs import FFMPEG_PATH
from tests.harness.server import eventually

pytestmark = pytest.mark.slow


def test_leaks_are_found_with_the_test_that_made_them(
    ground: Ground, alice: Customer, far_end: FarEnd
) -> None:
    word = ground.canaries.word
    subtitles = f"1\n00:00:00,000 --> 00:00:01,000\n{word}\n".encode()
    file = alice.send_file(subtitles, "a.srt").json()["id"]
    job = alice.submit("transcode", {"input": far_end.at("/nothing.mp4")}, tags=[word])
    log = ground.site.server.folder / "logs" / "leaky.log"
    log.write_text(f"{word}\n")
    alice.ended(job)
    ground.begin("another test")
    found = ground.leaks()
    log.unlink()
    for path in (f"/v1/jobs/{job['id']}", f"/v1/files/{file}"):
        assert alice.http.delete(path).status_code == 204
    ground.begin("a third one")
    assert len(found) == 3, found
    for what in ("media_jobs_job tells", "leaky.log tells the word", "holds the word"):
        test = "test_leaks_are_found_with_the_test_that_made_them"
        assert [each for each in found if each.startswith(f"{test}: ") and what in each], found


def test_a_touched_canary_is_seen(ground: Ground) -> None:
    ground.canaries.at("private.txt").read_bytes()
    with pytest.raises(AssertionError, match=r"opened .*private\.txt"):
        ground.check()


def test_an_error_of_ours_is_seen(ground: Ground, alice: Customer) -> None:
    ground.site.rows("ALTER TABLE storage_file RENAME TO gone")
    try:
        assert alice.http.get("/v1/files").status_code == 500
    finally:
        ground.site.rows("ALTER TABLE gone RENAME TO storage_file")
    with pytest.raises(AssertionError, match="answered 500: GET"):
        ground.check()
    ground.answers.clear()


def test_a_program_that_was_left_over_is_seen(ground: Ground) -> None:
    endless = ("-v", "error", "-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-")
    with subprocess.Popen([FFMPEG_PATH, *endless], cwd=ground.site.scratch) as process:
        assert eventually(lambda: [*ground.left_over()] == [_told(process)], within_s=5)
        process.kill()
    assert [*ground.left_over()] == []


def _told(process: subprocess.Popen[bytes]) -> str:
    # The kernel keeps fifteen characters of a program's name.
    return f"{Path(FFMPEG_PATH).name[:15]} {process.pid} is left over"
