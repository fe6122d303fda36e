"""Every exception of an attempt is the job's error in words that its owner understands."""

from __future__ import annotations

import errno
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError

import ffapi_site.lib.netguard
import media_jobs.host
import media_jobs.operations
import media_jobs.sandbox
import media_jobs.worker
import storage
from ffapi_site.lib import netguard
from ffapi_site.lib.refusal import Refusal
from media_jobs.engine import lease
from media_jobs.ffmpeg import failures
from media_jobs.host import probe
from media_jobs.operations import core
from media_jobs.worker import inputs, job_errors, outputs
from media_jobs.worker.executor import Failed
from media_jobs.worker.heartbeat import Canceled, Drained
from storage import store
from storage.intake.virus_scan import ScannerUnavailable


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
    inputs.Missing: inputs.Missing("x"),
    Refusal: Refusal("not_a_medium", "x"),
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
    "ffapi_site.lib.netguard.pieces.NotInPieces": "then all of the file is fetched",
    "media_jobs.worker.local_run.Stopped": "of a run without a job",
    "media_jobs.sandbox.seccomp.UnknownMachine": "then the sandbox is unavailable",
    "media_jobs.sandbox.layers.SandboxUnavailable": "an outage, by its class",
    "media_jobs.operations.core.errors.UnknownOperation": "the job is of a newer version: ours",
    "media_jobs.host.scratch.NotRemoved": "said in the log, and tried again later",
    "storage.store.InUse": "of a deletion",
    "storage.ranges.Unsatisfiable": "of a request",
}


def test_every_exception_of_an_attempt_is_explained() -> None:
    """A new one is either known to the table or said here to become one that is."""
    own = (media_jobs.host, media_jobs.operations, media_jobs.sandbox, media_jobs.worker)
    rooms = (*own, storage, ffapi_site.lib.netguard)
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
