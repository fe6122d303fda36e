"""The catalogue as the API tells it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from media_jobs.operations.core import Operation
from media_jobs.planning.availability import reason_against
from media_jobs.surfaces import plans


class OperationBody(BaseModel):
    """An operation, and the parameters that it takes."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    path: str
    """Where it can be asked for with one flat object."""
    title: str
    description: str
    group: str
    scope: str
    devices: list[str]
    """Where it can be done."""
    missing_devices: dict[str, str]
    """Those of them that this installation lacks at present, and why: the CPU does it there."""
    params_schema: dict[str, Any]
    """JSON Schema of ``params``."""
    examples: list[dict[str, Any]]
    available: bool
    reason: str | None
    """What this installation lacks for it."""


class BuildBody(BaseModel):
    """An FFmpeg that slots of this installation have."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """``bundled`` or ``static``: it comes along; ``system`` or ``folder``: it is the host's own."""
    version: str
    ffmpeg_sha256: str
    ffprobe_sha256: str


class CatalogueBody(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    results: list[OperationBody]
    builds: list[BuildBody]
    """A command is run by the first that has what it needs; the receipt of a job says which."""


def to_json(operation: type[Operation], against_gpu: str | None) -> dict[str, Any]:
    reason = reason_against(operation)
    has_gpu = operation.device != "cpu"
    return OperationBody(
        name=operation.name,
        path=f"/v1/{operation.path}",
        title=operation.title(),
        description=operation.description(),
        group=operation.group,
        scope=operation.scope,
        missing_devices={"gpu": against_gpu} if has_gpu and against_gpu else {},
        devices=["cpu", "gpu"] if operation.device == "any" else [operation.device],
        params_schema=operation.model_json_schema(),
        examples=[
            {"title": each.title, "params": plans.request(operation, each)}
            for each in operation.examples
        ],
        available=reason is None,
        reason=reason,
    ).model_dump(mode="json")
