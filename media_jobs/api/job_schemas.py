"""What the API takes and tells about jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from django.db import connection
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from ffapi_site.lib import bodies
from ffapi_site.lib.labels import Tags
from ffapi_site.lib.lengths import length_of
from ffapi_site.lib.problems import FieldError, Invalid
from media_jobs.engine.jobs import Submission
from media_jobs.engine.queue_position import Place, Reason, places
from media_jobs.models import Job, JobInput, Priority, Status
from storage.signed_urls import download_url

# By hand: put together from models, the same takes three statements and many times as long.
_PARTS = """
SELECT asked.id,
  (SELECT json_agg(json_build_object('role', role, 'file', file_id, 'url', nullif(url, ''))
     ORDER BY id)
   FROM media_jobs_jobinput WHERE job_id = asked.id),
  (SELECT json_agg(json_build_object('role', o.role, 'file', f.id, 'name', f.name,
       'content_type', f.content_type, 'size_bytes', f.size_bytes, 'sha256', f.sha256,
       'duration_seconds', f.media -> 'duration_s', 'width', f.media #> '{video,width}',
       'height', f.media #> '{video,height}') ORDER BY o.position)
   FROM media_jobs_joboutput o JOIN storage_file f ON f.id = o.file_id WHERE o.job_id = asked.id)
FROM unnest(%s::text[]) AS asked (id)
"""


class JobOptions(BaseModel):
    """What every job can be given besides its operation's parameters."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    priority: Literal["high", "normal", "low"] = "normal"
    """Which of the waiting jobs is taken first."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where it is done; auto: on a GPU where there is one that can. The CPU steps in for a GPU
    that fails, and ``fallback`` says so."""
    output_name: StrictStr = Field("", max_length=length_of(Job, "output_name"))
    """The name that the result gets; numbered where there are several."""
    webhook_url: StrictStr = Field("", max_length=length_of(Job, "webhook_url"))
    """Where the end of the job is posted to, signed as Standard Webhooks says."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    """Anything of yours, up to 16 KiB; comes back with the job."""
    tags: Tags = Field(default_factory=list)
    """Words to find the job by."""


class JobRequest(JobOptions):
    """A job to be done: an operation, its parameters, and options."""

    operation: StrictStr = Field(max_length=length_of(Job, "operation"))
    """The name of an operation of the catalogue."""
    params: dict[str, Any] = Field(default_factory=dict)
    """The operation's own parameters."""

    def to_submission(self) -> Submission:
        return Submission(**dict(self))


def read(body: Mapping[str, Any]) -> Submission:
    """Raises ``Invalid`` with the pointer of every field that is wrong."""
    return bodies.read(JobRequest, body).to_submission()


def flattened(problem: Invalid) -> Invalid:
    """The same problem, for a body whose parameters are not under ``params``."""
    errors = [
        FieldError(each.pointer.removeprefix("/params").rstrip("/"), each.detail, each.code)
        for each in problem.errors
    ]
    sentence = "; ".join(f"{each.pointer or 'the body'}: {each.detail}" for each in errors)
    return Invalid(sentence, code=problem.code, errors=errors)


class Progress(BaseModel):
    percent: float = 0.0
    stage: str = ""
    speed: float | None = None
    fps: float | None = None
    eta_seconds: float | None = None


class QueuePlace(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    position: int
    """Among the tenant's own jobs: 1 starts first."""
    reason: Reason
    """Why the job has not started yet."""
    detail: str
    starts_at: datetime | None
    """When it will probably start; null where nobody can tell."""

    @classmethod
    def of(cls, place: Place) -> QueuePlace:
        return cls(
            position=place.position,
            reason=place.reason,
            detail=place.detail,
            starts_at=place.starts_at,
        )


class InputBody(BaseModel):
    role: str
    file: str | None
    url: str | None

    @classmethod
    def of(cls, given: JobInput) -> InputBody:
        return cls(role=given.role, file=given.file_id, url=given.url or None)


class OutputBody(BaseModel):
    file: str
    role: str
    name: str
    content_type: str
    size_bytes: int
    duration_seconds: float | None
    width: int | None
    height: int | None
    sha256: str
    download_url: str


class Parts(NamedTuple):
    """What belongs to a job; no outputs before its completion."""

    inputs: list[InputBody]
    outputs: list[OutputBody]


class JobError(BaseModel):
    code: str
    title: str
    detail: str
    hint: str
    retryable: bool


class Usage(BaseModel):
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    input_bytes: int = 0
    output_bytes: int = 0


class JobBody(BaseModel):
    """A job, where it stands and what came of it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    operation: str
    status: Literal["queued", "running", "completed", "failed", "canceled"]
    """The last three are final."""
    priority: Literal["high", "normal", "low"]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    max_attempts: int
    progress: Progress
    queue: QueuePlace | None = None
    """Only while the job is queued."""
    device: Literal["cpu", "gpu"] | None
    fallback: dict[str, str] | None
    """Where another device had to do it: ``from``, ``to`` and ``reason``."""
    params: dict[str, Any]
    inputs: list[InputBody]
    outputs: list[OutputBody]
    """Empty until the whole job is completed."""
    result: dict[str, Any] | None
    """What an analysis found."""
    error: JobError | None
    warnings: list[Any]
    usage: Usage
    metadata: dict[str, Any]
    tags: list[str]
    links: dict[str, str]
    """``self``, ``log``, ``events``, ``cancel`` and ``retry``."""

    @classmethod
    def of(cls, job: Job, parts: Parts, place: Place | None) -> JobBody:
        is_completed = job.status == Status.COMPLETED
        at = f"/v1/jobs/{job.id}"
        return cls(
            id=job.id,
            operation=job.operation,
            status=Status(job.status).value,
            priority=Priority(job.priority).name.lower(),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            progress=Progress(**job.progress | ({"percent": 100.0} if is_completed else {})),
            queue=QueuePlace.of(place) if place else None,
            device=job.device or None,
            fallback=job.fallback,
            params=job.params,
            inputs=parts.inputs,
            outputs=parts.outputs,
            result=job.result,
            error=JobError(**job.error) if job.error else None,
            warnings=job.warnings,
            usage=Usage(**job.usage),
            metadata=job.metadata,
            tags=job.tags,
            links={"self": at}
            | {name: f"{at}/{name}" for name in ("log", "events", "cancel", "retry")},
        )


def to_json(job: Job) -> dict[str, Any]:
    """One job in JSON types."""
    return list_to_json([job])[0]


def list_to_json(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    listed = list(jobs)
    waiting, parts = places(listed), _parts_of(listed)
    made = (JobBody.of(job, parts[job.id], waiting.get(job.id)) for job in listed)
    return [
        body.model_dump(mode="json", exclude=None if body.queue else {"queue"}) for body in made
    ]


def _parts_of(jobs: Iterable[Job]) -> dict[str, Parts]:
    """By the jobs' ids."""
    found, asked = {}, {}
    for job in jobs:
        if job.just_given is None:
            asked[job.id] = job.status == Status.COMPLETED
        else:
            found[job.id] = Parts([InputBody.of(each) for each in job.just_given], [])
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(_PARTS, [list(asked)])
            for job_id, inputs, outputs in cursor.fetchall():
                found[job_id] = Parts(
                    [InputBody(**each) for each in inputs or ()],
                    [
                        OutputBody(**each, download_url=download_url(each["file"]))
                        for each in (outputs if asked[job_id] else None) or ()
                    ],
                )
    return found
