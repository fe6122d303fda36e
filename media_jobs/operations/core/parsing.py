"""From JSON to an operation, with every mistake named by the field as it was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ffapi_site.lib.bodies import sentence_of
from media_jobs.operations.core.declaration import Operation, find
from media_jobs.operations.core.errors import InvalidParams, InvalidParamsGroup
from media_jobs.operations.core.references import MediaRef

JOB_FIELDS = frozenset({"device", "webhook_url", "priority", "output_name", "metadata", "tags"})

_ANY_INPUT = ("input_url", "video_url", "audio_url")
_CODES = {
    "missing": "required",
    "union_tag_not_found": "required",
    "extra_forbidden": "unknown_field",
}
# Told of the whole object, though it is its "type" that is wrong.
_TAG_ERRORS = frozenset({"union_tag_invalid", "union_tag_not_found"})


def parse(name: str, params: Mapping[str, Any]) -> Operation:
    """Raise ``UnknownOperation``, or ``InvalidParamsGroup`` with all that is wrong."""
    operation = find(name)
    renamed = dict(resolve_aliases(operation, params))
    try:
        return operation.model_validate({new: params[old] for new, old in renamed.items()})
    except ValidationError as error:
        data = {new: params[old] for new, old in renamed.items()}
        raise InvalidParamsGroup(mistakes(error, data, renamed)) from error


def from_flat(name: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part one flat object into an operation's parameters and the fields of the job."""
    rest = {key: value for key, value in body.items() if key in JOB_FIELDS}
    params = {key: value for key, value in body.items() if key not in JOB_FIELDS}
    find(name)
    return params, rest


def resolve_aliases(
    operation: type[Operation], params: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Pairs of a field's name and the name under which it was sent."""
    aliases = {**media_aliases(operation), **operation.field_aliases}
    taken: set[str] = set()
    for sent in params:
        name = sent if sent in operation.model_fields else aliases.get(sent, sent)
        if name in taken or (name != sent and name in params):
            raise InvalidParamsGroup([InvalidParams(sent, f"{name} is given twice", "duplicate")])
        taken.add(name)
        yield name, sent


def as_sent(name: str, params: Mapping[str, Any], field: str) -> str:
    """The name under which a field was sent; ``field`` may be a pointer to a part of it."""
    first, slash, rest = field.partition("/")
    renamed = dict(resolve_aliases(find(name), params))
    return renamed.get(first, first) + slash + rest


@lru_cache(maxsize=256)
def media_aliases(operation: type[Operation]) -> dict[str, str]:
    """``x_url`` for every media field ``x``; an only field may be called by any usual name."""
    names = media_fields(operation)
    aliases = {f"{name}_url": name for name in names}
    if len(names) == 1:
        plural = "s" if holds_many(operation, names[0]) else ""
        aliases |= {f"{usual}{plural}": names[0] for usual in _ANY_INPUT}
    return aliases


def media_fields(operation: type[BaseModel]) -> list[str]:
    fields = operation.model_fields
    return [name for name, info in fields.items() if mentions_media(info.annotation)]


def media_params(operation: type[BaseModel], by_role: Mapping[str, str]) -> dict[str, Any]:
    """Parameters that hold the given references.

    "inputs/0" and "inputs/1" make a list, "input_files/in_1" an object.
    """
    found: dict[str, Any] = {}
    for name in media_fields(operation):
        start = f"{name}/"
        held = {
            role.removeprefix(start): ref for role, ref in by_role.items() if role.startswith(start)
        }
        if name in by_role:
            found[name] = by_role[name]
        elif held:
            found[name] = list(held.values()) if all(map(str.isdigit, held)) else held
    return found


def mentions_media(annotation: Any) -> bool:
    return annotation is MediaRef or any(mentions_media(part) for part in get_args(annotation))


def holds_many(operation: type[BaseModel], name: str) -> bool:
    return operation.model_fields[name].annotation is not MediaRef


def mistakes(
    error: ValidationError, data: Mapping[str, Any], renamed: Mapping[str, str]
) -> list[InvalidParams]:
    """One for each place; what a list says of itself when an item of it is wrong is left out."""
    found: dict[str, InvalidParams] = {}
    for each in error.errors(include_url=False):
        where = pointer(each, data, renamed)
        code = _CODES.get(each["type"], "invalid")
        found.setdefault(where, InvalidParams(where, sentence(each), code))
    # The places that hold others: a and a/b of a/b/c.
    around = {
        place for where in found for place in accumulate(where.split("/")[:-1], "{}/{}".format)
    }
    return [mistake for where, mistake in found.items() if where not in around]


def sentence(each: ErrorDetails) -> str:
    context = each.get("ctx", {})
    said = {
        "missing": "is required",
        "union_tag_invalid": f"should be one of {context.get('expected_tags')}",
        "union_tag_not_found": "is required",
    }
    return said.get(each["type"]) or sentence_of(each)


def pointer(each: ErrorDetails, data: Mapping[str, Any], renamed: Mapping[str, str]) -> str:
    """Keep of pydantic's location what is in the data; it also names the tags of unions."""
    parts: list[str] = []
    here: Any = data
    place, last = each["loc"], len(each["loc"]) - 1
    is_of_kind = False
    for number, part in enumerate(place):
        # Of each item of a list that goes by its type, the type is named before what is in it.
        if number and isinstance(place[number - 1], int) and number < last:
            is_of_kind = isinstance(here, Mapping) and part == here.get("type")
            if is_of_kind:
                continue
        inside, here = step_into(here, part)
        if not inside and is_of_kind:
            inside, here = True, {}  # absent, and read as if it were empty
        if inside or (number == last and each["type"] == "missing"):
            parts.append(str(part))
    if each["type"] in _TAG_ERRORS:
        parts.append("type")
    if parts:
        parts[0] = renamed.get(parts[0], parts[0])
    return "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


def step_into(here: Any, part: str | int) -> tuple[bool, Any]:
    if isinstance(here, Mapping) and part in here:
        return True, here[part]
    if isinstance(here, Sequence) and not isinstance(here, str) and isinstance(part, int):
        return True, here[part]
    return False, here
