"""Pieces of the OpenAPI description that several apps use."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from ffapi_site.lib.pagination import DEFAULT_LIMIT, MAX_LIMIT, CursorPages

Schema = dict[str, Any]


def JSON(schema: Schema) -> Schema:  # noqa: N802 -- reads as the content type it stands for
    """A body that no serializer stands for."""
    return {"application/json": schema}


def page_of(component: str) -> dict[int, Schema]:
    """The answer of a list of ``component``, which another operation of the API has introduced."""
    rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{component}"}}
    return {200: CursorPages().get_paginated_response_schema(rows)}


def query_parameter(
    name: str, description: str, kind: Any = OpenApiTypes.STR, **more: Any
) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description, **more)


PAGING = [
    query_parameter(
        "limit",
        "Rows a page",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    query_parameter("cursor", "From `next` or `previous` of another page"),
    query_parameter("ordering", "What to order by, with a `-` before it to turn it round"),
]
