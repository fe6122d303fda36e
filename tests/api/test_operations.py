from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.host import toolchain
from media_jobs.host.capabilities import capabilities
from media_jobs.models import Job
from media_jobs.operations.core import REGISTRY
from media_jobs.operations.core.samples import SAMPLES
from media_jobs.planning import availability, plan
from tests.api.sending import code_of, send
from tests.factories import FileFactory, SlotFactory

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
        return replace(had, encoders=frozenset(had.encoders) - {"libx264"})

    monkeypatch.setattr(plan, "capabilities", without_x264)
    availability._found.cache_clear()
    try:
        told = client.get("/v1/operations/image/to-video").json()
    finally:
        availability._found.cache_clear()
    assert told["available"] is False
    assert "libx264" in told["reason"]


def test_what_no_build_can_do_is_told_and_refused(
    client: Client, tenant: Tenant, settings: Settings, tmp_path: Path
) -> None:
    """The static build draws no texts; here it is the only one."""
    static = next(build for build in toolchain.installed() if build.name == "static")
    (tmp_path / "ffmpeg").symlink_to(static.ffmpeg)
    (tmp_path / "ffprobe").symlink_to(static.ffprobe)
    settings.FFMPEG_BUILD = str(tmp_path)
    film = FileFactory.create(tenant=tenant, media=SAMPLES["film"].info.to_json())
    drawn = {"input": film.pk, "filters": [{"type": "text", "params": {"text": "Hello"}}]}
    refused = send(client, "/v1/video/filter", drawn)
    assert code_of(refused, 422) == "invalid"
    [error] = refused.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/operation", "unavailable")
    assert error["detail"] == "no FFmpeg here has the filter drawtext"
    assert not Job.objects.exists()


def test_the_builds_of_all_slots_are_told_once(client: Client) -> None:
    build = {
        "name": "bundled",
        "version": "n9.0.2",
        "ffmpeg_sha256": "0" * 64,
        "ffprobe_sha256": "1" * 64,
        "reason": "",
    }
    SlotFactory.create(capabilities={"builds": [build]})
    SlotFactory.create(capabilities={"builds": [build, build | {"name": "system"}]})
    broken = build | {"name": "folder", "reason": "Permission denied: '/srv/ffmpeg'"}
    SlotFactory.create(capabilities={"builds": [broken]})
    SlotFactory.create(capabilities={})  # of a release that knew of none
    answer = client.get("/v1/operations")
    assert [each["name"] for each in answer.json()["builds"]] == ["bundled", "system"]
    assert "/srv" not in answer.content.decode()
