"""JSON bodies as pydantic models: one problem that tells of every wrong field."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from ffapi_site.lib.problems import MOST_ERRORS, FieldError, Invalid, pointer_token

Body = TypeVar("Body", bound=BaseModel)
_CODES = {"missing": "required", "extra_forbidden": "unknown_field"}
_LIST, _OBJECT = "should be a list", "should be an object"
_DETAILS = {
    "missing": "this field is required",
    "extra_forbidden": "there is no such field",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
}


def read(model: type[Body], given: object) -> Body:
    """Make a ``model`` of a body; raises ``Invalid`` with the pointer of each wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        errors = []
        for each in error.errors(include_url=False, include_input=False)[:MOST_ERRORS]:
            pointer = "".join(f"/{pointer_token(str(part)[:100])}" for part in each["loc"])
            code = _CODES.get(each["type"], "invalid")
            errors.append(FieldError(pointer, sentence_of(each), code))
        sentence = "; ".join(f"{each.pointer or 'the body'}: {each.detail}" for each in errors)
        raise Invalid(sentence, errors=errors) from error


def sentence_of(each: ErrorDetails) -> str:
    """What is wrong with a value, in JSON's words; pydantic's own are of Python's types."""
    context = each.get("ctx", {})
    if each["type"] == "too_short":
        return f"needs at least {context['min_length']}"
    if each["type"] == "too_long":
        return f"takes at most {context['max_length']}"
    message = each["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
    return _DETAILS.get(each["type"], message)


class Nothing(BaseModel):
    """A body without fields."""

    model_config = ConfigDict(extra="forbid")


def read_nothing(given: object) -> None:
    """Refuse fields where none are read, so that nobody believes they had an effect."""
    read(Nothing, given)
