"""What the OpenAPI document says of itself, and how it is shown: drf-spectacular's settings."""

from __future__ import annotations

from typing import Any

DOCUMENT: dict[str, Any] = {
    "TITLE": "FFAPI",
    "DESCRIPTION": "Video and audio jobs over REST.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/v1",
    "TAGS": [
        {"name": "jobs", "description": "Submit work, follow it, end it"},
        {"name": "run", "description": "The same, each operation at an address of its own"},
        {"name": "operations", "description": "What can be asked for"},
        {"name": "files", "description": "What goes in and what comes out"},
        {"name": "tenant", "description": "Who the key belongs to"},
        {"name": "api-keys", "description": "The tenant's keys"},
        {"name": "quotas", "description": "What may be taken, and what is"},
        {"name": "usage", "description": "What was used, and what it costs"},
        {"name": "audit-log", "description": "Who did what, and proof that no record was changed"},
    ],
    "POSTPROCESSING_HOOKS": ["ffapi_site.openapi.components.add_components"],
    "SORT_OPERATION_PARAMETERS": False,
}
