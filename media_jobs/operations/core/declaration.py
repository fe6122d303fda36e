"""The base of every operation: a declaration whose fields are the parameters."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from media_jobs.ffmpeg.command import Command
from media_jobs.operations.core.errors import UnknownOperation
from media_jobs.operations.core.media import Media, Result

Step = Command | tuple[Command, ...]
Steps = Generator[Step, Any, Result | None]


@dataclass(frozen=True)
class Example:
    """A use that is documented, planned in a golden file, run for real and measured.

    ``media`` names the sample for each role; ``answers`` stand for what the measuring commands
    would print, so that all the steps can be shown without running them.
    """

    title: str
    media: Mapping[str, str]
    params: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[Any, ...] = ()


class Parameters(BaseModel):
    """A group of parameters; an operation itself, or what is nested in one."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


class Operation(Parameters):
    """Say what to do to media; a subclass in a file of its own is all that a new one needs."""

    path: ClassVar[str]
    group: ClassVar[str]
    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    field_aliases: ClassVar[Mapping[str, str]] = {}
    """Other names of parameters, each with the parameter's own."""
    examples: ClassVar[tuple[Example, ...]] = ()
    device: ClassVar[Literal["any", "cpu", "gpu"]] = "cpu"
    scope: ClassVar[str] = "jobs:create"

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.name = cls.__dict__.get("name", cls.path)
        taken = REGISTRY.setdefault(cls.name, cls)
        if taken.__module__ != cls.__module__:
            raise TypeError(f"{cls.name} is declared in {taken.__module__} too")

    @classmethod
    def title(cls) -> str:
        return inspect.getdoc(cls).splitlines()[0].rstrip(".")  # type: ignore[union-attr]

    @classmethod
    def description(cls) -> str:
        return inspect.getdoc(cls) or ""

    def command(self, m: Media) -> Command:
        raise NotImplementedError(f"{type(self).__name__} declares neither command nor steps")

    def steps(self, m: Media) -> Steps:
        """Yield commands, be sent their answers; deterministic, so that it can be replayed."""
        yield self.command(m)
        return None

    def to_params(self) -> dict[str, Any]:
        """What was asked, as JSON: parsing it again gives an equal operation."""
        return self.model_dump(mode="json", exclude_unset=True)


REGISTRY: dict[str, type[Operation]] = {}


def find(name: str) -> type[Operation]:
    """Look an operation up by its name, which is its path, or by an older short name."""
    if name in REGISTRY:
        return REGISTRY[name]
    for operation in REGISTRY.values():
        if name in operation.aliases:
            return operation
    raise UnknownOperation(name)
