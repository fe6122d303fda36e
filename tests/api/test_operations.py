from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.host.capabilities import capabilities
from media_jobs.operations.core import REGISTRY
from media_jobs.planning import availability, plan
from tests.api.sending import code_of

pytestmark = pytest.mark.django_db


def test_it_works(client: Client) -> None:
    catalogue = client.get("/v1/operations").json()["results"]
    assert [each["name"] for each in catalogue] == sorted(REGISTRY)
    for each in catalogue:
        assert each == client.get(f"/v1/operations/{each['name']}").json()
        assert each["path"] == f"/v1/{REGISTRY[each['name']].path}"
        assert (each["available"], each["reason"]) == (True, None)
        assert each["title"]
        assert each["params_schema"]["properties"]
        assert each["examples"]
        assert each["scope"] == REGISTRY[each["name"]].scope


def test_an_unknown_operation_is_absent(client: Client) -> None:
    assert code_of(client.get("/v1/operations/video/nope"), 404) == "not_found"


def test_what_this_ffmpeg_lacks_is_told_and_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_x264() -> Capabilities:
        had = capabilities()
        return replace(had, encoders=had.encoders - {"libx264"})

    monkeypatch.setattr(plan, "capabilities", without_x264)
    availability._found.cache_clear()
    try:
        told = client.get("/v1/operations/image/to-video").json()
    finally:
        availability._found.cache_clear()
    assert told["available"] is False
    assert "libx264" in told["reason"]
