"""The base of every operation: a declaration whose fields are the parameters.

Annotations are no texts here: pydantic would compile those of `Operation` for every operation.
"""

import inspect
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from media_jobs.ffmpeg.command import Command
from media_jobs.operations.core.docstrings import explanations
from media_jobs.operations.core.errors import UnknownOperation
from media_jobs.operations.core.media import Media, Result
from media_jobs.operations.core.registry import Registry, import_operations
from media_jobs.operations.core.samples import SAMPLES, Sample

Step = Command | tuple[Command, ...]
Steps = Generator[Step, Any, Result | None]


@dataclass(frozen=True)
class Example:
    """A use that is documented, planned in a golden file, run for real and measured.

    ``media`` names the sample for each role, see ``core.samples``; ``answers`` stand for what the
    measuring commands would print, so that all the steps can be shown without running them.
    """

    title: str
    media: Mapping[str, str]
    params: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[Any, ...] = ()


class Parameters(BaseModel):
    """A group of parameters; an operation itself, or what is nested in one.

    Built at its first use: a process imports all operations, and most it never runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        """Say of each parameter what stands below it in the source."""
        schema = handler(core)
        properties = handler.resolve_ref_schema(schema)["properties"]
        for name, text in explanations(cls, Parameters).items():
            if name in properties:
                properties[name]["description"] = text
        return schema


class Operation(Parameters):
    """Say what to do to media; a subclass in a file of its own is all that a new one needs."""

    path: ClassVar[str]
    """Its address below ``/v1/``, and its name unless ``name`` says another."""
    group: ClassVar[str]
    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    field_aliases: ClassVar[Mapping[str, str]] = {}
    """Other names of parameters, each with the parameter's own."""
    examples: ClassVar[tuple[Example, ...]] = ()
    samples: ClassVar[Mapping[str, Sample]] = {}
    """Media of the examples that no other operation has, beside those of ``core.samples``."""
    device: ClassVar[Literal["any", "cpu", "gpu"]] = "cpu"
    scope: ClassVar[str] = "jobs:create"
    section: ClassVar[str] = "run"
    """The heading under which the API's description has it."""
    is_synchronous: ClassVar[bool] = False
    """Whether its own address answers with the result at once, instead of making a job."""
    widgets: ClassVar[Mapping[str, Literal["text", "textarea"]]] = {}
    """How a form asks for a parameter whose type does not say it."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.name = cls.__dict__.get("name", cls.path)
        REGISTRY.add(cls.name, cls, cls.__module__)

    @classmethod
    def sample(cls, name: str) -> Sample:
        return cls.samples[name] if name in cls.samples else SAMPLES[name]

    @classmethod
    def title(cls) -> str:
        return inspect.getdoc(cls).splitlines()[0].rstrip(".")  # type: ignore[union-attr]

    @classmethod
    def description(cls) -> str:
        return inspect.getdoc(cls) or ""

    @property
    def reads_all(self) -> bool:
        """Whether its commands read their inputs to the end: of others a part may do."""
        return True

    def command(self, m: Media) -> Command:
        raise NotImplementedError(f"{type(self).__name__} declares neither command nor steps")

    def steps(self, m: Media) -> Steps:
        """Yield commands, be sent their answers; deterministic, so that it can be replayed."""
        yield self.command(m)
        return None

    def to_params(self) -> dict[str, Any]:
        """What was asked, as JSON: parsing it again gives an equal operation."""
        return self.model_dump(mode="json", exclude_unset=True)


REGISTRY: Registry[type[Operation]] = Registry(import_operations)


def find(name: str) -> type[Operation]:
    """Look an operation up by its name, which is its path, or by an older short name."""
    if name in REGISTRY:
        return REGISTRY[name]
    for operation in REGISTRY.values():
        if name in operation.aliases:
            return operation
    raise UnknownOperation(name)
