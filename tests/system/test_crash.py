"""Whatever dies, and whenever: FFmpeg goes with it, and the job ends once, with one result."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from media_jobs.slot import process
from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd
from tests.harness.media import FFMPEG, Samples
from tests.harness.processes import frozen, is_dead, stop
from tests.harness.server import eventually
from tests.harness.site import GRACE_S, Site

pytestmark = pytest.mark.slow

SLOW = {"resolution": "720p", "preset": "quality", "crf": 20}
_BRIEF_S = 4  # of the film: time enough to find who encodes it, on one CPU as the site sets it
AT_ONCE_S = 1.0
GIVEN_BACK = [("queued", 0), ("running", 1), ("queued", 1), ("running", 2), ("completed", 2)]


@pytest.fixture(scope="session")
def long_film(media: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute, which takes longer to encode than any of these tests waits."""
    film, path = media.path("film"), tmp_path_factory.mktemp("films") / "long.mp4"
    looped = ("-stream_loop", "14", "-i", film, "-c", "copy")
    subprocess.run([*FFMPEG, *looped, path], check=True)
    return path


@pytest.fixture
def long_source(alice: Customer, long_film: Path) -> str:
    return str(alice.upload(long_film)["id"])


def _encode(alice: Customer, source: str, end_s: float, **options: str) -> Json:
    return alice.submit("transcode", {"input": source, "end": end_s} | SLOW, **options)


def _kill_and_see_ffmpeg_go(victim: psutil.Process, ffmpeg: psutil.Process) -> None:
    victim.kill()
    assert eventually(lambda: is_dead(ffmpeg), within_s=AT_ONCE_S)
    assert eventually(lambda: not ffmpeg.is_running(), within_s=20)  # and somebody buried it


def _worker_of(ffmpeg: psutil.Process) -> psutil.Process:
    """What started it; bubblewrap stands between them where there are namespaces."""
    return next(each for each in ffmpeg.parents() if each.name() != "bwrap")


def _check_ended_once(site: Site, alice: Customer, job: Json, name: str, folder: Path) -> None:
    [output] = alice.job(job["id"])["outputs"]
    assert len(alice.download(output, folder).read_bytes()) == output["size_bytes"]
    kept = site.rows("SELECT published_at FROM storage_file WHERE name = %s", name)
    assert len(kept) == 1
    assert kept[0][0] is not None
    assert site.ffmpegs(job) == []
    assert eventually(lambda: site.scratch_of(job) == [], within_s=20), site.scratch_of(job)


def test_a_killed_worker(site: Site, alice: Customer, long_source: str, folder: Path) -> None:
    """R1, R18: FFmpeg goes with it; it counts as a death, and another attempt does the job."""
    job = _encode(alice, long_source, _BRIEF_S, output_name="worker.mp4")
    ffmpeg = site.encoding(job)
    _kill_and_see_ffmpeg_go(_worker_of(ffmpeg), ffmpeg)
    ended = alice.completed(job, within_s=120)
    assert ended["attempt"] == 2
    assert ended["outputs"][0]["duration_seconds"] == pytest.approx(_BRIEF_S, abs=0.1)
    assert site.history(job) == GIVEN_BACK
    assert site.outcomes(job) == ["worker died", "completed"]
    _check_ended_once(site, alice, job, "worker.mp4", folder)


def test_a_killed_slot(site: Site, alice: Customer, long_source: str, folder: Path) -> None:
    """R2: all of it goes at once, and a fresh one does the job."""
    job = _encode(alice, long_source, _BRIEF_S, output_name="slot.mp4")
    ffmpeg = site.encoding(job)
    slot = site.slot_of(job)
    below = slot.children(recursive=True)
    _kill_and_see_ffmpeg_go(slot, ffmpeg)
    assert eventually(lambda: all(map(is_dead, below)), within_s=10)
    assert alice.completed(job, within_s=120)["attempt"] == 2
    assert site.history(job) == GIVEN_BACK
    assert site.outcomes(job) == ["worker lost", "completed"]
    _check_ended_once(site, alice, job, "slot.mp4", folder)


def test_a_frozen_slot_that_wakes_up_too_late(
    site: Site, alice: Customer, long_source: str, folder: Path
) -> None:
    """R10: what its worker writes then is refused."""
    job = _encode(alice, long_source, _BRIEF_S, output_name="frozen.mp4")
    ffmpeg = site.encoding(job)
    with frozen([_worker_of(ffmpeg), site.slot_of(job)]):
        alice.until(job, lambda now: now["attempt"] == 2)
    alice.completed(job, within_s=120)
    assert site.history(job) == GIVEN_BACK
    ffmpeg.wait(30)
    _check_ended_once(site, alice, job, "frozen.mp4", folder)


def test_a_worker_that_is_stopped_for_good(
    site: Site, alice: Customer, long_source: str, folder: Path
) -> None:
    """R29: it is found and killed, and its slot works again within a minute."""
    job = _encode(alice, long_source, _BRIEF_S, output_name="hung.mp4")
    ffmpeg = site.encoding(job)
    worker, slot = _worker_of(ffmpeg), site.slot_of(job)
    stop(worker)
    began = time.monotonic()
    assert eventually(lambda: is_dead(worker) and is_dead(ffmpeg), within_s=60)
    site.await_slots()
    assert time.monotonic() - began < 60
    assert is_dead(slot)
    alice.completed(job, within_s=120)
    assert site.history(job) == GIVEN_BACK
    assert site.outcomes(job) == ["worker hung", "completed"]
    _check_ended_once(site, alice, job, "hung.mp4", folder)


def _outlive_a_standing_database(
    site: Site, alice: Customer, job: Json, works_on: Callable[[], object]
) -> None:
    """``works_on`` sees that the attempt does so, or fails."""
    slot = site.slot_of(job)
    with frozen(site.database()):
        time.sleep(process.PATIENCE_S + 10)
        assert not is_dead(slot)
    works_on()
    time.sleep(15)  # by then it would have been given to another
    works_on()
    assert site.history(job) == [("queued", 0), ("running", 1)]
    _cancel(alice, job, 202)


def test_a_database_that_stands_still_for_longer_than_any_lease(
    site: Site, alice: Customer, far_end: FarEnd
) -> None:
    """R5: nobody can renew a lease, and nobody can take the job: whoever works goes on."""
    shown = [0.0]

    def comes_forward() -> None:
        now = alice.until(job, lambda now: now["progress"]["percent"] > shown[-1], within_s=20)
        shown.append(now["progress"]["percent"])

    with far_end.held("/outlasting.mp4", bytes(600_000), piece_bytes=1000) as (url, _):
        job = alice.submit("transcode", {"input": url})
        alice.until(job, lambda now: now["progress"]["stage"] == "fetching")
        comes_forward()
        _outlive_a_standing_database(site, alice, job, comes_forward)
        assert alice.ended(job, within_s=10)["status"] == "canceled"


@pytest.mark.nightly  # all cores for a minute; by day whoever fetches shows the same of its lease
def test_ffmpeg_goes_on_while_the_database_stands_still(
    site: Site, alice: Customer, media: Samples, folder: Path
) -> None:
    film = folder / "longer.mp4"  # than what comes below
    looped = ("-stream_loop", "99", "-i", media.path("film"), "-c", "copy")
    subprocess.run([*FFMPEG, *looped, film], check=True)
    job = _encode(alice, str(alice.upload(film)["id"]), 400)
    ffmpeg = site.encoding(job)

    def encodes() -> None:
        alice.until(job, lambda now: not is_dead(ffmpeg) and now["progress"])

    _outlive_a_standing_database(site, alice, job, encodes)
    ffmpeg.wait(10)


def test_a_stopping_slot_gives_its_job_back_uncharged(
    site: Site, alice: Customer, long_source: str, folder: Path
) -> None:
    """R3: what the grace is too short for."""
    job = _encode(alice, long_source, 30, output_name="drained.mp4")
    ffmpeg = site.encoding(job)
    slot = site.slot_of(job)
    slot.terminate()
    slot.wait(GRACE_S + 20)
    ffmpeg.wait(AT_ONCE_S)
    again = alice.until(job, lambda now: now["attempt"] == 2)
    assert again["max_attempts"] == job["max_attempts"] + 1
    assert site.history(job) == GIVEN_BACK[:4]
    alice.http.post(f"/v1/jobs/{job['id']}/cancel")
    assert alice.ended(job)["status"] == "canceled"


def test_a_stopping_slot_finishes_what_it_can(
    site: Site, alice: Customer, media: Samples, far_end: FarEnd
) -> None:
    """R3: what the grace is long enough for."""
    with far_end.held("/draining.mp4", media.path("red").read_bytes()) as (url, release):
        job = alice.submit("transcode", {"input": url})
        alice.until(job, lambda now: now["status"] == "running")
        slot = site.slot_of(job)
        slot.terminate()
        release()
        ended = alice.completed(job)
        slot.wait(GRACE_S + 20)
    assert (ended["attempt"], ended["max_attempts"]) == (1, job["max_attempts"])


def _cancel(alice: Customer, job: Json, status: int) -> Json:
    answer = alice.http.post(f"/v1/jobs/{job['id']}/cancel")
    assert answer.status_code == status, answer.text
    told: Json = answer.json()
    return told


def test_a_running_job_is_canceled(site: Site, alice: Customer, long_source: str) -> None:
    job = _encode(alice, long_source, 60)
    ffmpeg = site.encoding(job)
    began = time.monotonic()
    _cancel(alice, job, 202)
    ffmpeg.wait(5)
    ended = alice.ended(job, within_s=5)
    assert time.monotonic() - began < 5
    assert (ended["status"], ended["outputs"], ended["attempt"]) == ("canceled", [], 1)
    assert _cancel(alice, job, 200) == ended
    assert eventually(lambda: site.scratch_of(job) == [], within_s=5)


def test_a_job_is_canceled_while_it_fetches(
    site: Site, alice: Customer, media: Samples, far_end: FarEnd
) -> None:
    with far_end.held("/never.mp4", media.path("red").read_bytes()) as (url, _):
        job = alice.submit("transcode", {"input": url})
        alice.until(job, lambda now: now["progress"]["stage"] == "fetching")
        _cancel(alice, job, 202)
        assert alice.ended(job, within_s=5)["status"] == "canceled"


def test_a_completed_job_is_not_canceled(alice: Customer, media: Samples) -> None:
    job = alice.submit("transcode", {"input": alice.upload(media.path("red"))["id"]})
    alice.completed(job)
    assert _cancel(alice, job, 409)["code"] == "job_ended"


def test_a_queued_job_is_canceled_at_once(
    site: Site, alice: Customer, media: Samples, far_end: FarEnd
) -> None:
    content = media.path("red").read_bytes()
    with (
        far_end.held("/one.mp4", content) as (one, release_one),
        far_end.held("/two.mp4", content) as (two, release_two),
    ):
        busy = [alice.submit("transcode", {"input": url}) for url in (one, two)]
        for job in busy:
            alice.until(job, lambda now: now["status"] == "running")
        waiting = alice.submit("transcode", {"input": one})
        assert (waiting["queue"]["position"], waiting["queue"]["reason"]) == (1, "slots_busy")
        told = _cancel(alice, waiting, 200)
        assert (told["status"], told["attempt"]) == ("canceled", 0)
        assert _cancel(alice, waiting, 200) == told
        release_one()
        release_two()
        for job in busy:
            alice.completed(job)
    assert site.history(waiting) == [("queued", 0), ("canceled", 0)]


def test_five_tokens_for_one_job_do_it_once(
    site: Site, alice: Customer, media: Samples, far_end: FarEnd, folder: Path
) -> None:
    """R9: a doubled message finds nothing to claim."""
    with far_end.held("/tokens.mp4", media.path("red").read_bytes()) as (url, release):
        job = alice.submit("transcode", {"input": url}, output_name="tokens.mp4")
        alice.until(job, lambda now: now["status"] == "running")
        site.wake(5)
        release()
        alice.completed(job)
    assert eventually(lambda: site.rows("SELECT 1 FROM django_q_ormq") == [], within_s=30)
    assert site.history(job) == [("queued", 0), ("running", 1), ("completed", 1)]
    _check_ended_once(site, alice, job, "tokens.mp4", folder)


def test_a_lost_token_is_made_again(
    site: Site, alice: Customer, media: Samples, far_end: FarEnd
) -> None:
    """R9: a lost message costs seconds."""
    content = media.path("red").read_bytes()
    with (
        far_end.held("/left.mp4", content) as (left, release_left),
        far_end.held("/right.mp4", content) as (right, release_right),
    ):
        busy = [alice.submit("transcode", {"input": url}) for url in (left, right)]
        for job in busy:
            alice.until(job, lambda now: now["status"] == "running")
        source = alice.upload(media.path("red"))["id"]
        waiting = alice.submit("transcode", {"input": source})
        assert site.rows("DELETE FROM django_q_ormq RETURNING id")
        release_left()
        release_right()
        alice.completed(waiting, within_s=30)


def test_a_busy_slot_swallows_nothing(
    site: Site, alice: Customer, media: Samples, far_end: FarEnd
) -> None:
    source = alice.upload(media.path("red"))["id"]
    with far_end.held("/busy.mp4", media.path("red").read_bytes()) as (url, release):
        busy = alice.submit("transcode", {"input": url})
        alice.until(busy, lambda now: now["status"] == "running")
        short = [alice.completed(alice.submit("transcode", {"input": source})) for _ in range(10)]
        assert alice.job(busy["id"])["status"] == "running"
        release()
        alice.completed(busy)
    waits = [_waited_s(site, job) for job in short]
    # A swallowed token is made again after three seconds and more.
    assert sorted(waits)[5] < 1, waits
    assert len([wait for wait in waits if wait > 2]) <= 1, waits


def _waited_s(site: Site, job: Json) -> float:
    query = "SELECT extract(epoch FROM started_at - created_at) FROM media_jobs_job WHERE id = %s"
    [(waited_s,)] = site.rows(query, job["id"])
    return float(waited_s)
