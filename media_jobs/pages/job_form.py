from __future__ import annotations

from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.functional import cached_property

from ffapi_site.lib.problems import FieldError, Invalid
from media_jobs.engine import jobs
from media_jobs.models import Job, Priority
from media_jobs.models.job import DeviceAsked
from media_jobs.operations.core import Operation
from media_jobs.pages import form_input
from media_jobs.pages.form_input import Typed
from media_jobs.pages.form_view import ShownField, shown
from media_jobs.surfaces import form
from media_jobs.surfaces.form import Field

_JOB_PREFIX = "job."
_JOB_FIELDS = (
    Field(
        name="output_name",
        label="Output name",
        widget="text",
        help="What the result is called; its ending follows from the format.",
    ),
    Field(
        name="priority",
        label="Priority",
        widget="select",
        default="normal",
        choices=tuple(name.lower() for name in Priority.names),
    ),
    Field(
        name="device",
        label="Device",
        widget="select",
        default="auto",
        choices=tuple(DeviceAsked.values),
        help="auto: on a GPU where there is one that can; the CPU steps in for it.",
    ),
    Field(
        name="tags",
        label="Tags",
        widget="list",
        help="Words to find the job by, with commas between them.",
    ),
    Field(
        name="webhook_url",
        label="Webhook",
        widget="text",
        help="An address that is told when the job ends.",
    ),
)


@dataclass(frozen=True)
class Entered:
    """What somebody asks for: an operation's parameters, and what is said about the job."""

    params: Typed = field(default_factory=Typed)
    about: Typed = field(default_factory=Typed)

    @classmethod
    def by(cls, operation: type[Operation], posted: QueryDict) -> Entered:
        return cls(
            form_input.read(form.fields(operation), posted),
            form_input.read(_JOB_FIELDS, posted, prefix=_JOB_PREFIX),
        )

    @classmethod
    def like(cls, operation: type[Operation], job: Job) -> Entered:
        """The same as ``job`` asked for, to be changed."""
        about = {"output_name": job.output_name, "webhook_url": job.webhook_url, "tags": job.tags}
        about["device"] = job.device_asked
        about["priority"] = Priority(job.priority).name.lower()
        return cls(Typed(form_input.typed_as_declared(operation, job.params)), Typed(about))

    def submission(self, operation: type[Operation]) -> jobs.Submission:
        """Raises ``Invalid`` for what can't even be read."""
        if self.params.errors:
            raise Invalid(
                errors=(FieldError(f"/params{e.pointer}", e.detail) for e in self.params.errors)
            )
        params = form_input.typed_as_declared(operation, self.params.values)
        return jobs.Submission(operation.name, params, **self.about.values)


@dataclass(frozen=True)
class JobForm:
    """An operation's form as it is shown: what was entered, and what is wrong with it."""

    operation: type[Operation]
    entered: Entered = field(default_factory=Entered)
    refused: Invalid | None = None

    @property
    def path(self) -> str:
        return self.operation.path

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def title(self) -> str:
        return self.operation.title()

    @property
    def description(self) -> str:
        return self.operation.description()

    @property
    def inputs(self) -> list[ShownField]:
        return [each for each in self._params if each.spec.is_media]

    @property
    def settings(self) -> list[ShownField]:
        return [each for each in self._params if not each.spec.is_media]

    @cached_property
    def about(self) -> list[ShownField]:
        errors = [error for error in self._errors if not _is_of_params(error)]
        return shown(_JOB_FIELDS, self.entered.about.values, errors, prefix=_JOB_PREFIX)

    @property
    def wrong(self) -> list[ShownField]:
        return [each for each in (*self._params, *self.about) if each.is_wrong]

    @cached_property
    def _params(self) -> list[ShownField]:
        errors = [
            FieldError(error.pointer.removeprefix("/params"), error.detail, error.code)
            for error in self._errors
            if _is_of_params(error)
        ]
        return shown(form.fields(self.operation), self.entered.params.values, errors)

    @property
    def _errors(self) -> tuple[FieldError, ...]:
        return self.refused.errors if self.refused else ()


def _is_of_params(error: FieldError) -> bool:
    return error.pointer.startswith("/params/")
