"""What a client asks for, told as one mistake a field where it can't be meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from ffapi_site.lib import bodies
from ffapi_site.lib.lengths import length_of
from ffapi_site.lib.problems import FieldError, Invalid
from media_jobs.engine.jobs import MOST_TAGS, Submission
from media_jobs.models import Job

Tag = Annotated[StrictStr, Field(min_length=1, max_length=length_of(Job, "tags"))]


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
    tags: list[Tag] = Field(default_factory=list, max_length=MOST_TAGS)
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
