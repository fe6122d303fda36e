"""What the OpenAPI description says of files."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from ffapi_site.lib.openapi import query_parameter
from storage.api.file_schemas import ImportRequest

QUERY = [
    query_parameter("tag", "Files with this tag"),
    query_parameter("format", "A content type, a family (`video`) or an extension (`mp4`)"),
    query_parameter("created_after", "Made later than this", OpenApiTypes.DATETIME),
    query_parameter("created_before", "Made earlier than this", OpenApiTypes.DATETIME),
    query_parameter(
        "search",
        "A whole id; or a part of the name, in the newest 50,000 that the other filters leave",
    ),
]
_TEXT = {"type": "string"}
UPLOAD: Any = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "name": _TEXT,
            "tags": {"type": "array", "items": _TEXT},
            "metadata": {"type": "string", "description": "A JSON object"},
        },
    },
    "application/json": ImportRequest,
}
CONTENT_QUERY = [
    query_parameter("disposition", "How a browser treats it", enum=["attachment", "inline"]),
    query_parameter("token", "From `download_url`, instead of a key"),
    OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes"),
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER),
    OpenApiParameter("If-Range", str, OpenApiParameter.HEADER),
]
CONTENT: Any = {
    (200, "*/*"): OpenApiTypes.BINARY,
    (206, "*/*"): OpenApiTypes.BINARY,
    304: None,
    307: OpenApiResponse(description="Users' media have a host of their own: there."),
}
