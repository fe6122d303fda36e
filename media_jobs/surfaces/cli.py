"""An operation's parameters as options of a command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from media_jobs.operations.core import InvalidParams, InvalidParamsGroup, Operation
from media_jobs.surfaces.form import Field, fields, to_params


def option(field: Field) -> str:
    return f"--{field.name.replace('_', '-')}"


def add_options(parser: argparse.ArgumentParser, operation: type[Operation]) -> None:
    for field in fields(operation):
        if not field.is_media:
            parser.add_argument(option(field), **spelling(field))


def spelling(field: Field) -> dict[str, Any]:
    unit = f" ({field.unit})" if field.unit else ""
    usual = "" if field.default is None else f" [{field.default}]"
    told: dict[str, Any] = {
        "dest": field.name,
        # argparse reads a percent sign as a placeholder.
        "help": f"{field.help}{unit}{usual}".replace("%", "%%"),
        "metavar": field.widget.upper(),
    }
    if field.widget == "checkbox":
        return {"dest": field.name, "help": told["help"], "action": argparse.BooleanOptionalAction}
    if field.choices:
        told["metavar"] = "{" + ",".join(field.choices) + "}"
    return told


def params_of(operation: type[Operation], given: Mapping[str, Any]) -> dict[str, Any]:
    """What ``add_options`` brought in, as parameters; what was not given is absent."""
    texts = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in given.items()
        if value is not None
    }
    return to_params(fields(operation), texts)


def share_out(operation: type[Operation], files: Sequence[str]) -> dict[str, str]:
    """Files by role, to the media fields in order; a list of media takes all that are left."""
    left = list(files)
    by_role: dict[str, str] = {}
    for field in fields(operation):
        if field.widget == "media_list":
            by_role |= {f"{field.name}/{place}": file for place, file in enumerate(left)}
            left = []
        elif field.is_media and left:
            by_role[field.name] = left.pop(0)
    if left:
        raise InvalidParamsGroup([InvalidParams("input", f"too many files: {', '.join(left)}")])
    return by_role
