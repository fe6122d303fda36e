"""JSON as RFC 8259 and I-JSON (RFC 7493) have it, and nothing that readers disagree about."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser

from ffapi_site.lib.problems import (
    FieldError,
    Malformed,
    TooLarge,
    UnsupportedMediaType,
    invalid,
    pointer_token,
)
from ffapi_site.lib.refusal import Refusal

MAX_DEPTH = 32
_INTEGER_BOUND = 2**63
# Of all objects together. Each may be a mistake of its own, to be told of by a pointer.
_MOST_MEMBERS = 20_000
# Every value but the first of its object or list has one before it.
_MOST_COMMAS = 100_000
_LONGEST_INTEGER = 20  # characters: reading digits by the million takes time that grows faster
_LONGEST_FRACTION = 400  # of which a double keeps 17
_PLAIN = frozenset({int, float, bool, type(None)})
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class _Refused:
    """Stands where something was that we don't take, until the walk knows its pointer."""

    detail: str
    code: str


def _integer(digits: str) -> int | _Refused:
    if len(digits) < _LONGEST_INTEGER - 1:
        return int(digits)
    if len(digits) > _LONGEST_INTEGER or not -_INTEGER_BOUND <= int(digits) < _INTEGER_BOUND:
        return _Refused("an integer must fit into 64 bits", "number_too_large")
    return int(digits)


def _float(text: str) -> float | _Refused:
    if len(text) > _LONGEST_FRACTION:
        return _Refused("the number has too many digits", "number_too_large")
    number = float(text)
    if math.isinf(number):
        return _Refused("the number is too large", "number_too_large")
    return number


class _Objects:
    """Makes the objects of one text; raises ``Invalid`` once they have too many members."""

    def __init__(self) -> None:
        self._members = 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Refused:
        members = dict(pairs)
        if len(members) < len(pairs):
            twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
            return _Refused(f"the key {twice[:50]!r} appears twice", "duplicate_key")
        self._members += len(pairs)
        if self._members > _MOST_MEMBERS:
            raise invalid("", f"there are more than {_MOST_MEMBERS} fields in all objects")
        return members


def _refusals(value: Any, at: str = "", depth: int = 0) -> Iterator[FieldError]:
    if depth > MAX_DEPTH:
        value = _Refused(f"nested deeper than {MAX_DEPTH} levels", "too_deep")
    elif isinstance(value, str) and "\x00" in value:
        value = _Refused("text can't hold the NUL character", "nul_character")
    elif isinstance(value, str) and _SURROGATE.search(value):
        value = _Refused("a surrogate stands alone: this is not Unicode text", "lone_surrogate")
    if isinstance(value, _Refused):
        yield FieldError(at, value.detail, value.code)
    elif isinstance(value, dict):
        for name, inner in value.items():
            readable = name.encode("utf-8", "replace").decode()[:50].replace("\x00", "?")
            where = f"{at}/{pointer_token(readable)}"
            yield from _refusals(name, where, depth)
            yield from _refusals(inner, where, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if type(inner) in _PLAIN:
                continue  # a body can hold half a million of them
            yield from _refusals(inner, f"{at}/{index}", depth + 1)


class NotJson(Refusal):
    """This is no JSON that is read here; ``errors`` has the place of the first wrong value."""

    def __init__(self, code: str, detail: str, *errors: FieldError) -> None:
        super().__init__(code, detail)
        self.errors = errors


def loads(content: bytes, *, what: str = "the body") -> Any:
    """Read JSON text; raises ``NotJson``.

    ``what`` is called so in what is said of it.

    Raises ``Invalid`` where it holds more than anything that is read here.
    """
    if content.count(b",") > _MOST_COMMAS:
        raise invalid("", f"{what} has more than {_MOST_COMMAS} values")
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_Objects(),
            parse_int=_integer,
            parse_float=_float,
            parse_constant=lambda name: _Refused(f"{name} is not JSON", "not_json"),
        )
    except UnicodeDecodeError as error:
        raise NotJson("not_utf8", f"{what} is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise NotJson("not_json", f"{what} is not JSON: {error.msg} ({where})") from error
    except RecursionError as error:
        raise NotJson("too_deep", f"nested deeper than {MAX_DEPTH} levels") from error
    for refusal in _refusals(value):
        where = refusal.pointer or what
        raise NotJson(refusal.code, f"{where}: {refusal.detail}", refusal)
    return value


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        # What says it is not UTF-8, as JSON is (RFC 8259 section 8.1), is refused, not guessed.
        charset = parse_header_parameters(media_type or "")[1].get("charset", "utf-8")
        if charset.lower() not in {"utf-8", "utf8"}:
            detail = "JSON is UTF-8; leave the charset out"
            raise UnsupportedMediaType(detail, code="charset_not_taken")
        bound: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(bound + 1)
        if len(content) > bound:
            raise TooLarge(f"a JSON body may have {bound} bytes")
        try:
            value = loads(content)
        except NotJson as error:
            raise Malformed(error.detail, code=error.code, errors=error.errors) from error
        if not isinstance(value, dict):
            raise invalid("", "the body must be an object", "not_an_object")
        return value
