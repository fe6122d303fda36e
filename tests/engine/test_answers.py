"""R28: what one attempt has measured is used by the next for the very same inputs and command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs.engine import jobs, lease, states
from media_jobs.ffmpeg.command import Command
from media_jobs.host import toolchain
from media_jobs.models import Job, JobStep, Status
from media_jobs.worker import answers
from media_jobs.worker import attempt as attempts
from media_jobs.worker.executor import Executor
from storage.models import File
from tests.engine.claiming import claim
from tests.harness.media import Samples
from tests.lib.hostile_server import HostileServer, Silence, answering, ok

pytestmark = pytest.mark.django_db

Stored = Callable[[str], File]
PARAMS = {"target_lufs": -20}


@pytest.fixture
def dies_after_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first attempt's worker, so that another one takes the job up."""
    keep = answers.Answers.keep

    def kept(of: answers.Answers, position: int, *rest: object) -> None:
        keep(of, position, *rest)  # type: ignore[arg-type]
        if of.job.attempt == 1 and position == 0:
            states.give_back(Job.objects.get(pk=of.job.pk), "it died", outcome=states.WORKER_LOST)
            raise lease.Lost(of.job.id)

    monkeypatch.setattr(answers.Answers, "keep", kept)


def attempt(job: Job) -> Job:
    claimed = claim("slot-1")
    assert claimed == job
    attempts.run(claimed)
    return Job.objects.get(pk=job.pk)


def commands(job: Job) -> int:
    return len(job.attempts.latest("number").receipt["commands"])


@pytest.mark.usefixtures("dies_after_measuring")
def test_it_works(tenant: Tenant, stored: Stored) -> None:
    params = PARAMS | {"input": stored("film").id}
    job = jobs.submit(tenant, jobs.Submission("audio/normalize", params))
    assert attempt(job).status == Status.QUEUED
    ended = attempt(job)
    assert (ended.status, commands(ended)) == (Status.COMPLETED, 1)


@pytest.mark.usefixtures("dies_after_measuring")
def test_another_input_is_measured_anew(tenant: Tenant, media: Samples, settings: Settings) -> None:
    """An address gives what it likes, each time."""
    quiet, loud = (media.path(name).read_bytes() for name in ("quiet_music", "peaky_music"))
    given = iter((quiet, loud))

    def each(request: bytes) -> Iterable[bytes | Silence]:
        return answering(ok(next(given)))(request)

    with HostileServer(each) as server:
        settings.URL_ALLOWLIST = frozenset({server.authority})
        params = PARAMS | {"input": f"{server.url}/sound.wav"}
        job = jobs.submit(tenant, jobs.Submission("audio/normalize", params))
        attempt(job)
        [first] = JobStep.objects.filter(job=job).values_list("answer", flat=True)
        ended = attempt(job)
    assert ended.status == Status.COMPLETED
    assert commands(ended) > 1
    step = JobStep.objects.get(job=job, position=0)
    assert step.attempt == 2
    assert step.answer != first


@pytest.mark.usefixtures("dies_after_measuring")
@pytest.mark.parametrize("change", ["command", "ffmpeg", "older code"])
def test_another_question_is_asked_anew(
    change: str, tenant: Tenant, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = PARAMS | {"input": stored("film").id}
    job = jobs.submit(tenant, jobs.Submission("audio/normalize", params))
    attempt(job)
    if change == "command":
        about = answers.Answers._about
        monkeypatch.setattr(answers.Answers, "_about", lambda of, each: about(of, _other(each)))
    elif change == "ffmpeg":
        tried = next(toolchain.usable())
        another = replace(tried, capabilities=replace(tried.capabilities, version="another"))
        monkeypatch.setattr(toolchain, "for_command", lambda _: another)
    else:
        JobStep.objects.update(about="")
    ended = attempt(job)
    assert (ended.status, commands(ended)) == (Status.COMPLETED, 2)


def _other(command: Command) -> Command:
    return replace(command, args=(*command.args, "-vn"))


def test_a_stale_attempt_keeps_nothing(
    tenant: Tenant, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = PARAMS | {"input": stored("film").id}
    job = jobs.submit(tenant, jobs.Submission("audio/normalize", params))
    stale, execute = claim("slot-1"), Executor.execute
    assert stale is not None

    def overtaken(executor: Executor, command: Command) -> object:
        answer = execute(executor, command)
        Job.objects.filter(pk=job.pk).update(attempt=2)
        return answer

    monkeypatch.setattr(Executor, "execute", overtaken)
    attempts.run(stale)
    assert not JobStep.objects.exists()
