"""The components that no serializer stands for."""

from __future__ import annotations

from typing import Any

from ffapi_site.lib.problems import Problem
from media_jobs.api import schemas

Json = dict[str, Any]


def _problem() -> Json:
    text = {"type": "string"}
    error = {
        "type": "object",
        "required": ["pointer", "detail", "code"],
        "properties": {
            "pointer": text
            | {"description": "A JSON Pointer into the body, or `?name` for a query parameter"},
            "detail": text,
            "code": text,
        },
    }
    return {
        "title": "Problem",
        "description": "An error as RFC 9457 has it.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": text | {"format": "uri-reference"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": text | {"description": "Stable, for programs"},
            "request_id": text,
            "errors": {"type": "array", "items": error},
            "required_scope": text,
        },
        "examples": [Problem("why it went wrong").to_json("req_01k00000000000000000000000")],
    }


def add_components(result: Json, **_: Any) -> Json:
    """drf-spectacular's hook: the schemas that no serializer stands for. Raises ``SameName``."""
    known = result.setdefault("components", {}).setdefault("schemas", {})
    for more in ({"Problem": _problem()}, schemas.components()):
        schemas.add_to(known, more)
    return result
