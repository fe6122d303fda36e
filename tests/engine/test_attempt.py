from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from accounts.models import QuotaCounter, Tenant, UsageEntry
from accounts.quotas import limits
from ffapi_site.lib import room
from media_jobs.engine import jobs, lease, states
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.progress import Progress
from media_jobs.host import slot_state
from media_jobs.models import Job, Status
from media_jobs.worker import attempt as attempts
from media_jobs.worker import room_watch
from media_jobs.worker.heartbeat import Canceled, Heartbeat
from media_jobs.worker.progress import Meter
from media_jobs.worker.settlement import Settlement
from storage.models import File
from tests.engine.claiming import claim
from tests.engine.conftest import keep_path
from tests.factories import JobFactory, TenantFactory
from tests.harness.disks import small_disk
from tests.harness.media import Samples

pytestmark = pytest.mark.django_db

Submit = Callable[..., Job]
Work = Callable[[Job], Job]


def visible_files(job: Job) -> int:
    return File.objects.for_tenant(job.tenant).published().filter(origin="job").count()


def scratch_is_empty(settings: Settings) -> bool:
    return not list(Path(settings.SCRATCH_DIR).glob("job_*"))


def test_it_works(transcode: Submit, work: Work, settings: Settings) -> None:
    job = work(transcode(output_name="night.mp4"))
    assert job.status == Status.COMPLETED, job.error
    output = job.outputs.get()
    assert (output.role, output.file.name) == ("result", "night.mp4")
    assert output.file.media is not None
    assert output.file.media["video"]["height"] == 360
    assert job.progress["percent"] == 100.0
    assert set(job.usage) == {"cpu_seconds", "wall_seconds", "input_bytes", "output_bytes"}
    assert scratch_is_empty(settings)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ""])
def test_a_name_as_long_as_one_may_be_is_shortened(
    tenant: Tenant, stored: Callable[[str], File], work: Work, ending: str
) -> None:
    file = stored("film")
    File.objects.filter(pk=file.pk).update(name="x" * (255 - len(ending)) + ending)
    asked = {"input": file.pk, "end": 0.2, "output_format": "webm"}
    job = work(jobs.submit(tenant, jobs.Submission("transcode", asked)))
    assert job.status == Status.COMPLETED, job.error
    assert job.outputs.get().file.name == "x" * 250 + ".webm"


def test_the_receipt_names_no_path_of_this_machine(transcode: Submit, work: Work) -> None:
    attempt = work(transcode()).attempts.get()
    argv = attempt.receipt["commands"][0]["argv"]
    assert argv[0] == "ffmpeg"
    assert not [each for each in argv if each.startswith("/")]
    assert "/scratch/" not in attempt.log
    assert "libx264" in attempt.log


def test_progress_never_goes_back(
    transcode: Submit, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    beat = lease.renew

    def watched(job: Job, progress: dict[str, float]) -> bool:
        seen.append(progress["percent"])
        return beat(job, progress)

    monkeypatch.setattr("media_jobs.worker.heartbeat._EVERY_S", 0.0)
    monkeypatch.setattr(lease, "renew", watched)
    work(transcode())
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] < 100.0


def test_a_broken_input_fails_at_once(
    tenant: Tenant, work: Work, stored: Callable[[str], File]
) -> None:
    job = jobs.submit(tenant, jobs.Submission("transcode", {"input": stored("film").id}))
    path = Path(job.inputs.get().file.storage_key)  # type: ignore[union-attr]
    _overwrite(path, b"not a film any more")
    job = work(job)
    assert (job.status, job.attempt) == (Status.FAILED, 1)
    assert job.error is not None
    assert job.error["code"] in {"input_unreadable", "input_truncated"}
    assert job.error["retryable"] is False
    assert visible_files(job) == 0


def _overwrite(key: Path, content: bytes) -> None:
    Path(storages["media"].path(str(key))).write_bytes(content)


def test_a_truncated_input_never_completes_without_a_warning(
    tenant: Tenant, work: Work, media: Samples, tmp_path: Path
) -> None:
    whole = media.path("film_mkv").read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) // 2])
    params = {"input": keep_path(tenant, cut).id, "when_conformant": "encode"}
    job = work(jobs.submit(tenant, jobs.Submission("transcode", params)))
    assert job.status == Status.FAILED or "breaks off" in str(job.warnings)


def test_a_deleted_input_fails_the_job(transcode: Submit, work: Work) -> None:
    job = transcode()
    File.objects.filter(read_by__job=job).delete()
    job = work(job)
    assert job.error is not None
    assert job.error["code"] == "input_deleted"


def test_the_deadline_ends_ffmpeg(transcode: Submit, work: Work, settings: Settings) -> None:
    job = transcode()
    settings.FFMPEG_TIMEOUT_SECONDS = 0.05
    job = work(job)
    assert job.error is not None
    assert job.error["code"] == "deadline_exceeded"


@pytest.fixture
def scratch_disk(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[int], None]]:
    """Give the slot a scratch disk of so many bytes."""
    # No look ahead and no reserve: the disk itself has to say that it is full.
    monkeypatch.setattr(room_watch, "AHEAD_BYTES", 0)
    monkeypatch.setattr(room, "STEP_BYTES", 0)
    settings.MIN_FREE_SPACE_MB = 0
    with ExitStack() as mounted:

        def mount(size_bytes: int) -> None:
            place = mounted.enter_context(small_disk(tmp_path / "small", size_bytes))
            settings.SCRATCH_DIR = place

        yield mount


def _check_tried_again_later(settings: Settings, *, visible: int = 0) -> None:
    job = claim()
    assert job is not None
    attempts.run(job)
    job.refresh_from_db()
    assert job.status == Status.QUEUED
    assert job.events.last().reason.startswith("storage_full")  # type: ignore[union-attr]
    assert visible_files(job) == visible
    assert scratch_is_empty(settings)


def test_a_full_disk_is_tried_again_later(
    transcode: Submit, scratch_disk: Callable[[int], None], media: Samples, settings: Settings
) -> None:
    transcode()
    scratch_disk(media.path("brief_film").stat().st_size + 16 * 1024)
    _check_tried_again_later(settings)


def test_a_disk_that_is_full_at_the_last_byte_is_too(
    transcode: Submit,
    work: Work,
    scratch_disk: Callable[[int], None],
    media: Samples,
    settings: Settings,
) -> None:
    """FFmpeg ends well where it was only the end of the file that found no room."""
    made = work(transcode()).outputs.get().file
    transcode()
    pages = [
        -(-size // 4096) for size in (media.path("brief_film").stat().st_size, made.size_bytes)
    ]
    scratch_disk((sum(pages) - 2) * 4096)
    _check_tried_again_later(settings, visible=1)


def test_what_nobody_expected_is_told_and_not_tried_again(
    transcode: Submit, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of ours")

    job = transcode()
    monkeypatch.setattr(attempts, "_work", broken)
    job = work(job)
    assert (job.status, job.attempt) == (Status.FAILED, 1)
    assert job.error is not None
    assert (job.error["code"], job.error["retryable"]) == ("internal_error", False)
    assert "secret" not in str(job.error)


def test_a_canceled_job_ends_with_nothing_visible(transcode: Submit, work: Work) -> None:
    job = transcode()
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    job = work(job)
    assert job.status == Status.CANCELED
    assert visible_files(job) == 0


def test_a_lost_lease_writes_nothing(transcode: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    transcode()
    stale = claim("slot-1")
    assert stale is not None
    states.give_back(Job.objects.get(pk=stale.pk), "its slot fell silent")
    winner = claim("slot-2")
    assert winner is not None

    attempts.run(stale)
    winner.refresh_from_db()
    assert (winner.status, winner.attempt) == (Status.RUNNING, 2)
    assert visible_files(winner) == 0
    attempts.run(winner)
    winner.refresh_from_db()
    assert winner.status == Status.COMPLETED
    assert visible_files(winner) == 1


def test_a_loser_at_the_very_end_publishes_nothing(
    transcode: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is lost between the encode and the publication."""
    transcode()
    stale = claim("slot-1")
    assert stale is not None
    complete = Settlement.complete

    def late(settlement: Settlement, *rest: object) -> None:
        Job.objects.filter(pk=stale.pk).update(attempt=2)
        complete(settlement, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Settlement, "complete", late)
    attempts.run(stale)
    assert visible_files(stale) == 0
    assert not File.objects.filter(origin="job").exists()


def test_a_stopping_slot_gives_the_job_back_uncharged(
    transcode: Submit, settings: Settings
) -> None:
    settings.SHUTDOWN_GRACE_SECONDS = -1
    transcode()
    job = claim("slot-1")
    assert job is not None
    slot_state.draining.set()
    try:
        attempts.run(job)
    finally:
        slot_state.draining.clear()
    job.refresh_from_db()
    assert (job.status, job.attempt, job.max_attempts) == (Status.QUEUED, 1, 5)


@pytest.fixture
def stops_midway(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """Have the first attempt's slot stop while FFmpeg works, with no time left for the rest."""
    settings.SHUTDOWN_GRACE_SECONDS = -1
    working = Meter.working

    def stop(meter: Meter, command: Command, progress: Progress | None) -> None:
        working(meter, command, progress)
        if progress is not None and Job.objects.get().attempt == 1:
            slot_state.draining.set()

    monkeypatch.setattr(Meter, "working", stop)
    yield
    slot_state.draining.clear()


def test_what_a_stopping_slot_gives_back_did_cost(
    transcode: Submit, work: Work, stops_midway: None
) -> None:
    """The CPU time of the first attempt is settled with that of the second."""
    limits.set_for_tenant(Tenant.objects.get(), {"max_cpu_seconds_per_month": 3600})
    job = work(transcode())
    assert (job.status, job.events.last().reason) == ("queued", "the slot is stopping")  # type: ignore[union-attr]
    given_back = job.attempts.get().receipt["cpu_seconds"]
    assert given_back > 0
    slot_state.draining.clear()
    job = work(job)
    assert job.status == Status.COMPLETED, job.error
    spent_s = sum(each.receipt["cpu_seconds"] for each in job.attempts.all())
    assert job.usage["cpu_seconds"] == pytest.approx(spent_s)
    assert spent_s > given_back
    counted = QuotaCounter.objects.get(name="max_cpu_seconds_per_month")
    entered = UsageEntry.objects.get(work_id=job.pk)
    assert counted.used == entered.cpu_ms == round(spent_s * 1000)


def test_what_is_killed_by_a_cancel_did_cost(
    transcode: Submit, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(_: Meter, _command: Command, progress: Progress | None) -> None:
        if progress is not None:
            raise Canceled

    monkeypatch.setattr(Meter, "working", cancel)
    job = work(transcode())
    assert job.status == Status.CANCELED
    assert job.usage["cpu_seconds"] > 0


def test_an_outage_is_borne_for_as_long_as_the_lease_holds(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def away(*_: object) -> bool:
        raise OperationalError("gone")

    pulse = Heartbeat(JobFactory.create(tenant=TenantFactory.create(), running=True))
    monkeypatch.setattr(lease, "renew", away)
    monkeypatch.setattr("media_jobs.worker.heartbeat.connection.close", lambda: None)
    monkeypatch.setattr("media_jobs.worker.heartbeat._EVERY_S", 0)
    pulse.beat({"percent": 1.0})
    settings.LEASE_SECONDS = 0
    with pytest.raises(lease.Lost):
        pulse.beat({"percent": 2.0})


def test_a_meter_starts_with_fetching() -> None:
    shown: list[dict[str, object]] = []
    Meter(shown.append).fetching(50, 100)
    Meter(shown.append).fetching(50, None)
    assert shown == [{"percent": percent, "stage": "fetching"} for percent in (2.5, 0.0)]


def test_a_job_that_waited_is_due_again_at_its_time(transcode: Submit) -> None:
    transcode()
    job = claim("slot-1")
    assert job is not None
    states.give_back(job, "later", delay_s=60)
    assert claim("slot-1") is None
    Job.objects.update(run_at=timezone.now() - timedelta(seconds=1))
    assert claim("slot-1") is not None
