"""JSON as RFC 8259 and I-JSON (RFC 7493) have it, and nothing that readers disagree about."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from ffapi_site.lib.problems import FieldError, Malformed, TooLarge, invalid

MAX_DEPTH = 32
_INTEGER_BOUND = 2**63


@dataclass(frozen=True)
class _Refused:
    """Stands where something was that we don't take, until the walk knows its pointer."""

    detail: str
    code: str


def _integer(digits: str) -> int | _Refused:
    too_long = len(digits) > 20
    if too_long or not -_INTEGER_BOUND <= int(digits) < _INTEGER_BOUND:
        return _Refused("an integer must fit into 64 bits", "number_too_large")
    return int(digits)


def _float(text: str) -> float | _Refused:
    number = float(text)
    if math.isinf(number):
        return _Refused("the number is too large", "number_too_large")
    return number


def _constant(name: str) -> _Refused:
    return _Refused(f"{name} is not JSON", "not_json")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Refused:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        return _Refused(f"the key {twice[:50]!r} appears twice", "duplicate_key")
    return members


def _text_refusal(text: str) -> _Refused | None:
    if "\x00" in text:
        return _Refused("text can't hold the NUL character", "nul_character")
    if any("\ud800" <= character <= "\udfff" for character in text):
        return _Refused("a surrogate stands alone: this is not Unicode text", "lone_surrogate")
    return None


def _escaped(name: str) -> str:
    """One reference token of a JSON Pointer (RFC 6901 section 3)."""
    readable = name.encode("utf-8", "replace").decode()[:50].replace("\x00", "?")
    return readable.replace("~", "~0").replace("/", "~1")


def _refusals(value: Any, at: str = "", depth: int = 0) -> Iterator[FieldError]:
    if depth > MAX_DEPTH:
        value = _Refused(f"nested deeper than {MAX_DEPTH} levels", "too_deep")
    elif isinstance(value, str):
        value = _text_refusal(value)
    if isinstance(value, _Refused):
        yield FieldError(at, value.detail, value.code)
    elif isinstance(value, dict):
        for name, inner in value.items():
            where = f"{at}/{_escaped(name)}"
            yield from _refusals(name, where, depth)
            yield from _refusals(inner, where, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _refusals(inner, f"{at}/{index}", depth + 1)


def loads(content: bytes) -> Any:
    """Read JSON text; raises ``Malformed`` with the place of the first wrong thing."""
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8 (byte {error.start})", code="not_utf8") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise Malformed(f"the body is not JSON: {error.msg} ({where})", code="not_json") from error
    except RecursionError as error:
        raise Malformed(f"nested deeper than {MAX_DEPTH} levels", code="too_deep") from error
    for refusal in _refusals(value):
        where = refusal.pointer or "the whole body"
        raise Malformed(f"{where}: {refusal.detail}", code=refusal.code, errors=[refusal])
    return value


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002 -- DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        bound: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(bound + 1)
        if len(content) > bound:
            raise TooLarge(f"a JSON body may have {bound} bytes")
        value = loads(content)
        if not isinstance(value, dict):
            raise invalid("", "the body must be an object", "not_an_object")
        return value
