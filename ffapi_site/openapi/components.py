"""The components that no serializer stands for."""

from __future__ import annotations

from typing import Any

from ffapi_site.lib.problems import Problem
from media_jobs.api import schemas

Json = dict[str, Any]


_TEXT = {"type": "string"}
_ERROR: Json = {
    "type": "object",
    "required": ["pointer", "detail", "code"],
    "properties": {
        "pointer": _TEXT
        | {"description": "A JSON Pointer into the body, or `?name` for a query parameter"},
        "detail": _TEXT,
        "code": _TEXT,
    },
}
_PROBLEM: Json = {
    "title": "Problem",
    "description": "An error as RFC 9457 has it.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": _TEXT | {"format": "uri-reference"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT | {"description": "Stable, for programs"},
        "request_id": _TEXT,
        "errors": {"type": "array", "items": _ERROR},
        "required_scope": _TEXT,
    },
    "examples": [Problem("why it went wrong").to_json("req_01k00000000000000000000000")],
}


def add_components(result: Json, **_: Any) -> Json:
    """drf-spectacular's hook: the schemas that no serializer stands for. Raises ``SameName``."""
    known = result.setdefault("components", {}).setdefault("schemas", {})
    for more in ({"Problem": _PROBLEM}, schemas.components()):
        schemas.add_to(known, more)
    return result
