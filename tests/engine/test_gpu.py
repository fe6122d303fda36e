"""Jobs that ask for a GPU, on a machine whose FFmpeg has the encoders but no GPU to drive."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.lib.problems import Invalid
from media_jobs.engine import jobs
from media_jobs.ffmpeg.devices import Nvidia
from media_jobs.host import device_circuit_breaker, devices, machine
from media_jobs.host.devices import Found
from media_jobs.models import DeviceHealth, Job, Slot, Status
from media_jobs.operations.core import find
from media_jobs.planning import placement
from storage.models import File
from tests.engine.test_attempt import _overwrite
from tests.engine.test_housekeeping import do_queue_chores
from tests.factories import ApiKeyFactory, JobFactory, SlotFactory

pytestmark = pytest.mark.django_db

Submit = Callable[..., Job]
Work = Callable[[Job], Job]


@pytest.fixture
def gpu_slot() -> Slot:
    """A slot of the GPU lane whose card works, as its host has found."""
    works = {"nvenc": {"available": True, "reason": ""}}
    return SlotFactory.create(name="far-gpu-1", lane="gpu", host="far", devices=works)


@pytest.fixture
def nvenc(monkeypatch: pytest.MonkeyPatch) -> None:
    """This host's first look found a card, which has gone since: every job meets its absence."""
    monkeypatch.setattr(devices, "usable", lambda: [Nvidia()])


def argv_of(job: Job) -> list[list[str]]:
    return [each["argv"] for each in job.attempts.get().receipt["commands"]]


def test_it_works(transcode: Submit, work: Work) -> None:
    job = work(transcode(device="gpu"))
    assert job.status == Status.COMPLETED, job.error
    assert (job.lane, job.device, job.attempt) == ("cpu", "cpu", 1)
    assert job.fallback is not None
    assert (job.fallback["from"], job.fallback["to"]) == ("gpu", "cpu")
    assert job.fallback["reason"] == "gpu_unavailable: Cannot load libcuda.so.1"
    tried, made = argv_of(job)
    assert "h264_nvenc" in tried
    assert "libx264" in made
    receipt = job.attempts.get().receipt
    assert (receipt["device"], receipt["fallback"]) == ("cpu", job.fallback)
    assert receipt["commands"][0]["returncode"] != 0
    assert job.outputs.get().file.media["video"]["height"] == 360


def test_it_costs_hardly_more_than_the_cpu_alone(transcode: Submit, work: Work) -> None:
    """The GPU is known to be missing before anything is decoded for it."""
    alone, after_gpu = (
        [work(transcode(device=device)).usage["cpu_seconds"] for _ in range(2)]
        for device in ("cpu", "gpu")
    )
    assert Job.objects.filter(fallback__isnull=False).count() == 2
    assert min(after_gpu) - min(alone) <= 0.3


# By the clock on the wall, which says something only where nothing else runs.
@pytest.mark.nightly
def test_it_takes_hardly_longer_than_the_cpu_alone(
    tenant: Tenant, work: Work, stored: Callable[[str], File]
) -> None:
    """In turns, and the best of each: whatever else the machine does only adds to them."""
    params = {"input": stored("brief_film").id, "preset": "fast", "when_conformant": "encode"}

    def seconds(device: str) -> float:
        DeviceHealth.objects.all().delete()
        job = jobs.submit(tenant, jobs.Submission("transcode", params, device=device))
        started = time.perf_counter()
        assert work(job).status == Status.COMPLETED
        return time.perf_counter() - started

    seconds("gpu")
    alone, after_gpu = zip(*((seconds("cpu"), seconds("gpu")) for _ in range(5)), strict=True)
    assert Job.objects.filter(fallback__isnull=False).count() == 6
    assert min(after_gpu) - min(alone) <= 0.3


def test_a_broken_input_is_not_retried_as_a_gpu_failure(
    tenant: Tenant, work: Work, stored: Callable[[str], File]
) -> None:
    file = stored("film")
    params = {"input": file.id, "when_conformant": "encode"}
    job = jobs.submit(tenant, jobs.Submission("transcode", params, device="gpu"))
    _overwrite(Path(file.storage_key), b"not a film any more")
    job = work(job)
    assert (job.status, job.attempt, job.fallback) == (Status.FAILED, 1, None)
    assert job.error is not None
    assert job.error["code"] in {"input_unreadable", "input_truncated"}
    assert len(argv_of(job)) == 1
    assert not DeviceHealth.objects.exists()


def test_auto_is_the_cpu_where_no_gpu_is(transcode: Submit, work: Work) -> None:
    job = work(transcode())
    assert (job.lane, job.device, job.fallback) == ("cpu", "cpu", None)
    assert len(argv_of(job)) == 1


def test_auto_is_the_gpu_where_one_works(transcode: Submit, gpu_slot: Slot) -> None:
    assert transcode().lane == "gpu"
    assert transcode(device="cpu").lane == "cpu"
    assert placement.lane_of(find("audio/extract"), "auto") == "cpu"


def test_auto_leaves_a_gpu_alone_that_keeps_failing(transcode: Submit, gpu_slot: Slot) -> None:
    for _ in range(3):
        device_circuit_breaker.failed("far", "nvenc", "gpu_unavailable: gone")
    assert transcode().lane == "cpu"
    assert transcode(device="gpu").lane == "gpu"


@pytest.mark.usefixtures("gpu_slot", "nvenc")
def test_a_gpu_slot_falls_back_too(transcode: Submit, work: Work) -> None:
    job = work(transcode())
    assert (job.lane, job.status, job.device) == ("gpu", Status.COMPLETED, "cpu")
    assert job.fallback is not None
    assert "libcuda" in job.fallback["reason"]
    assert DeviceHealth.objects.get().failures == 1


def test_a_gpu_that_is_turned_off_is_not_tried(
    transcode: Submit, work: Work, settings: Settings
) -> None:
    settings.ENABLE_GPU = "false"
    job = work(transcode(device="gpu"))
    assert job.status == Status.COMPLETED
    assert job.fallback is not None
    assert job.fallback["reason"].startswith("gpu_disabled")
    assert len(argv_of(job)) == 1


def test_what_the_gpu_can_not_do_is_refused(tenant: Tenant, stored: Callable[[str], File]) -> None:
    params = {"input": stored("film").id}
    with pytest.raises(Invalid) as refused:
        jobs.submit(tenant, jobs.Submission("audio/extract", params, device="gpu"))
    assert refused.value.errors[0].pointer == "/device"
    with pytest.raises(Invalid) as refused:
        jobs.submit(tenant, jobs.Submission("transcode", params, device="tpu"))
    assert refused.value.errors[0].pointer == "/device"


def test_a_retry_asks_for_the_same_device(transcode: Submit, work: Work) -> None:
    again = jobs.retry(work(transcode(device="gpu")))
    assert again.device_asked == "gpu"


def test_what_is_only_copied_needs_no_gpu(
    tenant: Tenant, work: Work, stored: Callable[[str], File]
) -> None:
    params = {"input": stored("film").id, "output_format": "mkv"}
    job = work(jobs.submit(tenant, jobs.Submission("transcode", params, device="gpu")))
    assert (job.status, job.device, job.fallback) == (Status.COMPLETED, "cpu", None)


def test_the_third_failure_in_a_row_spares_the_device(transcode: Submit, work: Work) -> None:
    for _ in range(3):
        assert len(argv_of(work(transcode(device="gpu")))) == 2
    spared = work(transcode(device="gpu"))
    assert len(argv_of(spared)) == 1
    assert spared.fallback is not None
    assert spared.fallback["reason"].startswith("gpu_left_alone: gpu_unavailable")
    health = DeviceHealth.objects.get()
    assert (health.host, health.device, health.failures) == (machine.name(), "nvenc", 3)
    assert health.fallbacks == 4


def test_after_a_cool_down_one_is_let_through() -> None:
    for _ in range(3):
        assert device_circuit_breaker.refusal("host", "nvenc") == ""
        device_circuit_breaker.failed("host", "nvenc", "gone")
    assert device_circuit_breaker.refusal("host", "nvenc") == "gone"
    _let_time_pass(61)
    assert device_circuit_breaker.refusal("host", "nvenc") == ""
    assert device_circuit_breaker.refusal("host", "nvenc") == "gone"
    assert device_circuit_breaker.refusal("other host", "nvenc") == ""


def test_a_cool_down_doubles_up_to_an_hour() -> None:
    lengths_s = []
    for _ in range(12):
        device_circuit_breaker.failed("host", "nvenc", "gone")
        row = DeviceHealth.objects.get()
        if row.open_until:
            lengths_s.append(round((row.open_until - row.changed_at).total_seconds()))
    assert lengths_s == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]


def test_a_success_forgets_the_failures() -> None:
    for _ in range(3):
        device_circuit_breaker.failed("host", "nvenc", "gone")
    device_circuit_breaker.succeeded("host", "nvenc")
    assert device_circuit_breaker.refusal("host", "nvenc") == ""
    assert not device_circuit_breaker.left_alone()


def _let_time_pass(seconds: float) -> None:
    DeviceHealth.objects.update(open_until=F("open_until") - timedelta(seconds=seconds))


def test_jobs_without_a_living_gpu_slot_go_to_the_cpu(gpu_slot: Slot) -> None:
    JobFactory.create(lane="gpu")
    Job.objects.update(run_at=F("run_at") - timedelta(minutes=2))
    do_queue_chores()
    assert Job.objects.get().lane == "gpu"
    Slot.objects.update(heartbeat_at=F("heartbeat_at") - timedelta(minutes=2))
    do_queue_chores()
    assert Job.objects.get().lane == "cpu"


def test_so_many_at_a_time_go_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its record in the audit log, all of them in one transaction."""
    monkeypatch.setattr(placement, "_MOVED_AT_ONCE", 2)
    JobFactory.create_batch(3, lane="gpu")
    Job.objects.update(run_at=F("run_at") - timedelta(minutes=2))
    assert [placement.move_stranded() for _ in range(3)] == [2, 1, 0]


def test_every_kind_of_device_is_looked_at() -> None:
    found = devices.found()
    assert set(found) == {"nvenc", "qsv", "vaapi", "videotoolbox"}
    for kind, each in found.items():
        assert each.available or each.reason, kind
    if not devices.nodes():
        assert found["nvenc"] == Found(available=False, reason="Cannot load libcuda.so.1")
        assert "MFX session" in found["qsv"].reason
        assert devices.usable() == []
        assert devices.slots() == 0


@pytest.mark.parametrize(
    ("enabled", "workers", "slots"),
    [("auto", None, 0), ("true", None, 1), ("auto", 2, 2), ("true", 0, 0), ("false", 2, 0)],
)
def test_slots_of_the_gpu(
    settings: Settings, enabled: str, workers: int | None, slots: int
) -> None:
    if devices.nodes() and enabled == "auto" and workers is None:
        slots = 1
    settings.ENABLE_GPU, settings.GPU_WORKERS = enabled, workers
    assert devices.slots() == slots


def test_health_metrics_and_catalogue_tell_of_devices(
    client: Client, tenant: Tenant, gpu_slot: Slot, settings: Settings
) -> None:
    for _ in range(3):
        device_circuit_breaker.failed("far", "nvenc", "gpu_unavailable: gone")
    device_circuit_breaker.fell_back("far", "nvenc")
    text = client.get("/metrics").content.decode()
    assert 'ffapi_gpu_fallbacks_total{device="nvenc",host="far"} 1.0' in text

    settings.OPS_TOKEN = "let me in"
    told = client.get("/health/detailed", headers={"Authorization": "Bearer let me in"}).json()
    assert told["slots"][0]["devices"] == {"nvenc": {"available": True, "reason": ""}}
    (health,) = told["devices"]
    assert (health["host"], health["failures_in_a_row"]) == ("far", 3)
    assert health["left_alone_until"] > told["timestamp"]

    key: Any = ApiKeyFactory.create(tenant=tenant)
    headers = {"X-API-Key": key.text}
    transcode = client.get("/v1/operations/transcode", headers=headers).json()
    assert transcode["devices"] == ["cpu", "gpu"]
    assert transcode["missing_devices"] == {"gpu": "nvenc: failed several times in a row"}
    probe = client.get("/v1/operations/probe", headers=headers).json()
    assert (probe["devices"], probe["missing_devices"]) == (["cpu"], {})


def test_a_client_asks_for_a_device(
    client: Client, tenant: Tenant, stored: Callable[[str], File]
) -> None:
    key: Any = ApiKeyFactory.create(tenant=tenant)
    file = stored("film").id

    def post(path: str, body: dict[str, Any]) -> Any:
        kind = "application/json"
        return client.post(path, body, content_type=kind, headers={"X-API-Key": key.text})

    whole = {"operation": "transcode", "params": {"input": file}, "device": "gpu"}
    for path, body in (("/v1/jobs", whole), ("/v1/transcode", {"input": file, "device": "gpu"})):
        made = post(path, body)
        assert made.status_code == 202, made.content
        assert Job.objects.get(pk=made.json()["id"]).device_asked == "gpu"
        refused = post(path, body | {"device": "tpu"})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/device"
