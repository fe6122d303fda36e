from __future__ import annotations

from typing import Any

from django.test import Client

WANTED = {"operation": "transcode", "params": {"input": "https://example.org/a.mp4"}}


def send(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    """POST ``body`` as JSON; ``Idempotency_Key="x"`` is the header of that name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, body, content_type="application/json", headers=named)


def code_of(response: Any, status: int) -> str:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["request_id"] == response["X-Request-ID"]
    return str(body["code"])


def pointers(response: Any) -> list[str]:
    assert response.status_code == 422, response.content
    return [error["pointer"] for error in response.json()["errors"]]
