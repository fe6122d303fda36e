"""What may pass is tried again, what can't pass is not."""

from __future__ import annotations

import errno
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from pytest_django import Settings

import ffapi_site.lib.netguard
import media_jobs.operations
import media_jobs.worker
import storage
from accounts.models import Tenant
from ffapi_site.lib import netguard
from media_jobs.engine import jobs, lease
from media_jobs.ffmpeg import failures
from media_jobs.host import probe
from media_jobs.models import Job, Status
from media_jobs.operations import core
from media_jobs.worker import inputs, job_errors, outputs
from media_jobs.worker.executor import Failed
from media_jobs.worker.heartbeat import Canceled, Drained
from storage import store
from storage.virus_scan import ScannerUnavailable
from tests.harness.media import Samples
from tests.lib.hostile_server import HostileServer, ok

pytestmark = pytest.mark.django_db

Fetch = Callable[..., Job]


@pytest.fixture
def fetch(tenant: Tenant, work: Callable[[Job], Job], settings: Settings) -> Fetch:
    """Run the first attempt of a job whose input's server gives each answer in turn."""
    settings.JOB_RETRY_DELAY = 10.0

    def run(first: bytes, *later: bytes) -> Job:
        answers = iter((first, *later))
        with HostileServer(lambda _: [next(answers)]) as server:
            settings.URL_ALLOWLIST = frozenset({server.authority})
            params = {"input": f"{server.url}/film.mp4", "resolution": "360p"}
            job = jobs.submit(tenant, jobs.Submission("transcode", params))
            job = work(job)
            for _ in later:
                Job.objects.filter(pk=job.pk).update(run_at=timezone.now())
                job = work(job)
            return job

    return run


def answer(status: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_it_works(fetch: Fetch, media: Samples) -> None:
    film = ok(media.path("film").read_bytes(), "Content-Type: video/mp4")
    job = fetch(answer("503 Away"), film)
    assert (job.status, job.attempt) == (Status.COMPLETED, 2), job.error


@pytest.mark.parametrize("status", ["429 Slow Down", "502 Bad", "500 No", "504 Late", "408 Late"])
def test_a_server_that_is_overloaded_is_asked_again(fetch: Fetch, status: str) -> None:
    assert fetch(answer(status)).status == Status.QUEUED


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "401 Who", "410 Gone"])
def test_a_server_that_has_no_such_file_is_not(fetch: Fetch, status: str) -> None:
    job = fetch(answer(status))
    assert (job.status, job.attempt) == (Status.FAILED, 1)
    assert job.error is not None
    assert (job.error["code"], job.error["retryable"]) == ("bad_status", False)


def test_a_connection_that_is_cut_is_tried_again(fetch: Fetch) -> None:
    assert fetch(ok(b"x" * 1000)[:500]).status == Status.QUEUED


@pytest.mark.parametrize(
    ("asked", "least_s", "most_s"),
    [("600", 590, 610), ("1", 7, 13), ("31536000", 3500, 3610), ("soon", 7, 13)],
)
def test_the_wait_that_it_asks_for_is_kept_up_to_an_hour(
    fetch: Fetch, asked: str, least_s: float, most_s: float
) -> None:
    job = fetch(answer("503 Away", f"Retry-After: {asked}"))
    assert job.status == Status.QUEUED
    wait_s = (job.run_at - timezone.now()).total_seconds()
    assert least_s <= wait_s <= most_s


@pytest.mark.parametrize(
    "trouble",
    [
        OperationalError("the connection is closed"),
        InterfaceError("the connection is closed"),
        OSError(errno.EIO, "the disk is dead"),
        MemoryError(),
        store.Gone("file_1"),
    ],
)
def test_what_the_worker_lacked_is_tried_again(trouble: Exception) -> None:
    failure = job_errors.failure_of(trouble)
    assert (failure.code, failure.retryable) == ("worker_trouble", True)


@pytest.mark.parametrize("bug", [ValueError("x"), KeyError("x"), ZeroDivisionError(), TypeError()])
def test_a_fault_of_ours_is_not(bug: Exception) -> None:
    assert job_errors.failure_of(bug) == failures.INTERNAL
    assert not failures.INTERNAL.retryable


# How each comes out of an attempt; the rest is turned into another one before, or says that the
# attempt is not ours any more.
_MADE: dict[type[Exception], Exception] = {
    netguard.Refused: netguard.Refused("too_large", "x"),
    inputs.Missing: inputs.Missing("input", "x"),
    inputs.NotTaken: inputs.NotTaken("not_a_medium", "x"),
    probe.Unreadable: probe.Unreadable("no_streams", "x"),
    outputs.Unverified: outputs.Unverified("x"),
    Failed: Failed(failures.STALLED),
    core.InvalidParams: core.InvalidParams("crf", "x"),
    core.InvalidParamsGroup: core.InvalidParamsGroup([core.InvalidParams("crf", "x")]),
    ScannerUnavailable: ScannerUnavailable("x"),
    store.Gone: store.Gone("x"),
}
_NO_ERRORS = {lease.Lost, Canceled, Drained}
_TURNED = {
    "media_jobs.worker.local_run.Stopped": "of a run without a job",
    "media_jobs.sandbox.seccomp.UnknownMachine": "then the sandbox is unavailable",
    "media_jobs.sandbox.layers.SandboxUnavailable": "an outage, by its class",
    "media_jobs.operations.core.errors.UnknownOperation": "the job is of a newer version: ours",
    "media_jobs.host.scratch.NotRemoved": "said in the log, and tried again later",
    "storage.sniff.Refused": "NotTaken",
    "storage.names.NameRefused": "NotTaken",
    "storage.virus_scan.NotClean": "sniff.Refused, then NotTaken",
    "storage.hooks.Unreadable": "of an upload",
    "storage.store.InUse": "of a deletion",
    "storage.ranges.Unsatisfiable": "of a request",
}


def test_every_exception_of_an_attempt_is_explained() -> None:
    """A new one is either known to the table or said here to become one that is."""
    rooms = (media_jobs.worker, media_jobs.operations, storage, ffapi_site.lib.netguard)
    known = set(_MADE) | _NO_ERRORS
    unknown = {
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in set(_exceptions_in(*rooms))
        if not any(issubclass(kind, each) for each in known)
    }
    assert unknown == set(_TURNED)


def _exceptions_in(*packages: Any) -> Iterator[type[Exception]]:
    for package in packages:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in found.name or found.name.endswith(("launcher", "escape_probe")):
                continue
            module = import_module(found.name)
            for _, kind in inspect.getmembers(module, inspect.isclass):
                is_its_own = kind.__module__ == found.name and not kind.__name__.startswith("_")
                if issubclass(kind, Exception) and is_its_own:
                    yield kind


@pytest.mark.parametrize("error", _MADE.values(), ids=[kind.__name__ for kind in _MADE])
def test_none_of_them_is_called_a_fault_of_ours(error: Exception) -> None:
    assert job_errors.failure_of(error) != failures.INTERNAL


@pytest.mark.parametrize("error", _MADE.values(), ids=[kind.__name__ for kind in _MADE])
def test_each_says_what_to_do(error: Exception) -> None:
    assert job_errors.failure_of(error).hint


def test_the_hint_names_the_parameter_that_does_not_fit() -> None:
    hint = job_errors.failure_of(core.InvalidParams("input", "the source is silent", "silent")).hint
    assert hint == "Submit the job again with another input."


def test_a_result_without_a_picture_asks_for_another_part() -> None:
    failure = job_errors.failure_of(outputs.Unverified("film.mp4: the output has no video"))
    assert "an earlier start" in str(failure.to_json({"input", "start", "end"})["hint"])
    assert "start" not in str(failure.to_json({"inputs"})["hint"])
