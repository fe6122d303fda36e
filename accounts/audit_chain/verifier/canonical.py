"""The canonical form of JSON: RFC 8785."""

import json
from decimal import Decimal
from typing import Any


def canonical(value: Any) -> bytes:
    return _written(value).encode("utf-8", "surrogatepass")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        members = sorted(
            value.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass")
        )
        return "{" + ",".join(f"{_written(key)}:{_written(each)}" for key, each in members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)


def parsed(line: bytes) -> Any:
    """Read JSON that has one meaning only; raises ``ValueError`` for any other."""
    return json.loads(line.decode(), object_pairs_hook=_members, parse_constant=_no_number)


def _members(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _number(value: float) -> str:
    """Write a number as ECMAScript does (RFC 8785, 3.2.2.3)."""
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        plain = format(Decimal(repr(value)), "f")
        return plain.removesuffix(".0")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent):+d}" if exponent else mantissa
