from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from ffapi_site.observability import health
from media_jobs.models import Slot
from tests.api.sending import code_of
from tests.factories import JobFactory, SlotFactory, UserFactory
from tests.harness.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create(name="host.cpu.1", sandbox={"allowed": True, "level": "full"})


def reasons(client: Client) -> dict[str, str]:
    response = client.get("/health/ready")
    assert code_of(response, 503) == "not_ready"
    assert response["Retry-After"] == "5"
    told: dict[str, str] = response.json()["components"]
    return told


def test_it_works(client: Client, slot: Slot) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready")
    assert ready.json() == {
        "status": "ready",
        "components": ["database", "storage", "disk", "slots", "sandbox", "audit", "maintenance"],
    }


def test_no_slot_is_named(client: Client) -> None:
    assert list(reasons(client)) == ["slots"]


def test_a_silent_slot_is_none(client: Client, slot: Slot) -> None:
    Slot.objects.update(heartbeat_at=F("heartbeat_at") - timedelta(minutes=1))
    assert list(reasons(client)) == ["slots"]


def test_a_sandbox_that_does_not_hold_is_named(client: Client, slot: Slot) -> None:
    got_out = "the self-test got out by: tcp"
    Slot.objects.update(sandbox={"allowed": False, "level": "none", "reason": got_out})
    assert reasons(client) == {"sandbox": f"no slot takes jobs: {got_out}"}


def test_one_slot_that_holds_is_enough(client: Client, slot: Slot) -> None:
    SlotFactory.create(name="unfit", sandbox={"allowed": False})
    assert client.get("/health/ready").status_code == 200
    assert sandbox_of(client, slot)["unfit"] == 1


def sandbox_of(client: Client, slot: Slot) -> dict[str, Any]:
    sign_in(client, UserFactory.create(is_staff=True))
    told = client.get("/health/detailed").json()
    component: dict[str, Any] = told["components"]["sandbox"]
    return component


@pytest.mark.parametrize("layer", ["user", "landlock", "seccomp", "namespaces", "cgroup"])
def test_a_layer_that_is_off_is_told_with_its_reason(
    client: Client, slot: Slot, layer: str
) -> None:
    layers = {
        "process": {"active": True, "reason": None},
        layer: {"active": False, "reason": "the kernel has none"},
    }
    told = {"allowed": True, "level": "reduced", "layers": layers}
    Slot.objects.update(sandbox=told)
    component = sandbox_of(client, slot)
    assert component["off"] == {layer: "the kernel has none"}
    assert (component["level"], component["overridden"]) == ("reduced", 0)


def test_a_sandbox_that_is_overridden_is_told(client: Client, slot: Slot) -> None:
    Slot.objects.update(sandbox={"allowed": True, "level": "none"})
    component = sandbox_of(client, slot)
    assert (component["status"], component["level"]) == ("ok", "none")
    assert component["overridden"] == 1


def test_a_full_disk_is_named(client: Client, slot: Slot, settings: Settings) -> None:
    settings.MIN_FREE_SPACE_MB = 10**9
    assert "MIN_FREE_SPACE_MB" in reasons(client)["disk"]


def test_a_storage_that_can_not_be_written_is_named(
    client: Client, slot: Slot, settings: Settings, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    media = settings.STORAGES["media"] | {"OPTIONS": {"location": str(blocked)}}
    settings.STORAGES = settings.STORAGES | {"media": media}
    told = reasons(client)
    assert list(told) == ["storage"]
    assert str(tmp_path) not in told["storage"]


def test_a_database_that_is_away_is_named(
    client: Client, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And asked once: what only it can tell is away with it."""

    def away() -> dict[str, Any]:
        raise DatabaseError("secret host name")

    monkeypatch.setitem(health._LOOKS, "database", away)
    away_too = dict.fromkeys(("slots", "sandbox", "audit", "maintenance"), "the database is away")
    assert reasons(client) == {"database": "DatabaseError"} | away_too


def test_details_are_for_staff_and_the_ops_token(
    client: Client, slot: Slot, settings: Settings
) -> None:
    assert code_of(client.get("/health/detailed"), 401) == "unauthenticated"
    for token, status in (("", 401), ("wrong", 401), ("ü", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/health/detailed", headers=headers).status_code == status
    settings.OPS_TOKEN = "let me in"
    told = client.get("/health/detailed", headers={"Authorization": "Bearer let me in"}).json()
    assert told["status"] == "ok"
    assert told["components"]["database"]["status"] == "ok"
    assert told["components"]["database"]["isolation"] == "full"
    assert told["slots"][0]["sandbox"]["level"] == "full"


@pytest.mark.parametrize(("is_staff", "status"), [(True, 200), (False, 401)])
def test_details_by_session(client: Client, slot: Slot, *, is_staff: bool, status: int) -> None:
    sign_in(client, UserFactory.create(is_staff=is_staff))
    assert client.get("/health/detailed").status_code == status


def test_metrics_tell_of_the_jobs(client: Client, slot: Slot) -> None:
    JobFactory.create()
    JobFactory.create(failed=True)
    text = client.get("/metrics").content.decode()
    for line in (
        'ffapi_jobs{lane="cpu",status="queued"} 1.0',
        'ffapi_jobs{lane="cpu",status="failed"} 1.0',
        'ffapi_jobs{lane="gpu",status="queued"} 0.0',
        'ffapi_queue_depth{lane="cpu"} 1.0',
        'ffapi_slots_alive{lane="cpu"} 1.0',
        "django_http_requests_before_middlewares_total",
    ):
        assert line in text
    (age,) = [each for each in text.splitlines() if each.startswith("ffapi_queue_oldest")][:1]
    assert 0 <= float(age.split()[-1]) < 60


def test_an_ops_token_closes_the_metrics(client: Client, settings: Settings) -> None:
    settings.OPS_TOKEN = "let me in"
    assert code_of(client.get("/metrics"), 401) == "unauthenticated"
    token = {"Authorization": "Bearer let me in"}
    assert client.get("/metrics", headers=token).status_code == 200


def test_metrics_of_several_processes_are_one(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert "ffapi_jobs{" in client.get("/metrics").content.decode()
