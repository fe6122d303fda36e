"""JSON bodies as pydantic models: one problem that tells of every wrong field."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ffapi_site.lib.problems import MOST_ERRORS, FieldError, Invalid

Body = TypeVar("Body", bound=BaseModel)
_CODES = {"missing": "required", "extra_forbidden": "unknown_field"}
_DETAILS = {"missing": "this field is required", "extra_forbidden": "there is no such field"}


def read(model: type[Body], given: object) -> Body:
    """Make a ``model`` of a body; raises ``Invalid`` with the pointer of each wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        errors = [
            FieldError(
                "".join(f"/{_escaped(part)}" for part in each["loc"]),
                _DETAILS.get(each["type"], each["msg"].removeprefix("Value error, ")),
                _CODES.get(each["type"], "invalid"),
            )
            for each in found[:MOST_ERRORS]
        ]
        sentence = "; ".join(f"{each.pointer or 'the body'}: {each.detail}" for each in errors)
        raise Invalid(sentence, errors=errors) from error


def _escaped(part: int | str) -> str:
    """One reference token of a JSON Pointer (RFC 6901 section 3)."""
    return str(part)[:100].replace("~", "~0").replace("/", "~1")


class Nothing(BaseModel):
    """A body without fields."""

    model_config = ConfigDict(extra="forbid")


def read_nothing(given: object) -> None:
    """Refuse fields where none are read, so that nobody believes they had an effect."""
    read(Nothing, given)
