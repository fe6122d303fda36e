"""Health answers within a second, whatever is down: asked of what really is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

import psutil
import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connections
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from ffapi_site import settings as site_settings
from ffapi_site.database import embedded
from ffapi_site.database.base import DatabaseWrapper
from ffapi_site.lib.probe import Probe
from ffapi_site.observability import health
from ffapi_site.observability.health import look_at_all, look_at_tables
from tests.api.sending import code_of
from tests.harness.processes import frozen

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("_its_database")]
OPERATOR = {"Authorization": "Bearer let me in"}
SILENT = "no answer within 0.8 s"


@pytest.fixture(autouse=True)
def _asked_as_by_a_site(
    _health_is_asked_here: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(health, "look_at_all", look_at_all)
    monkeypatch.setattr(health, "look_at_tables", look_at_tables)
    settings.OPS_TOKEN = "let me in"
    Client().get("/health/live")  # the first request of a process loads every view
    for probe in health._PROBES.values():
        probe._stale_at = 0.0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="unwell-", dir=settings.DATA_DIR)) / "postgres"
    place = embedded.start(folder)
    with psycopg.connect(host=place, user="postgres", dbname="postgres", autocommit=True) as owner:
        owner.execute("CREATE ROLE ffapi LOGIN")
    yield folder
    embedded.stop(folder)


@pytest.fixture
def _its_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Have the site work with the server of ``folder``."""
    told = connections.settings["default"] | {"FOLDER": str(folder), "NAME": "postgres"}
    monkeypatch.setitem(connections.settings, "default", told)
    monkeypatch.setattr(
        connections["default"], "settings_dict", connections["default"].settings_dict | told
    )
    embedded.socket_folder(folder)
    with embedded.kept(folder), django_db_blocker.unblock():
        yield
    embedded.socket_folder.cache_clear()
    embedded.start(folder)


@contextmanager
def _still(folder: Path) -> Iterator[None]:
    server = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
    with frozen([server, *server.children()]):
        yield


def _reasons(path: str) -> dict[str, str]:
    """What is not healthy, told within a second."""
    began = time.monotonic()
    answer = Client().get(path, headers=OPERATOR)
    took_s = time.monotonic() - began
    assert answer.status_code == 503
    assert took_s < 2, took_s  # a second, and one for the machine's other work
    told: dict[str, dict[str, str]] = answer.json()["components"]
    if path == "/health/ready":
        return {name: str(reason) for name, reason in told.items()}
    return {name: each["reason"] for name, each in told.items() if each["status"] == "failing"}


@pytest.mark.parametrize("path", ["/health/ready", "/health/detailed"])
def test_a_database_that_is_dead(folder: Path, path: str) -> None:
    embedded.stop(folder)
    # A machine at work may take longer to be refused than health waits.
    assert _reasons(path)["database"] in {"OperationalError", SILENT}


@pytest.mark.parametrize("path", ["/health/ready", "/health/detailed"])
def test_a_database_that_stands_still(folder: Path, path: str) -> None:
    with _still(folder):
        told = _reasons(path)
    assert {told[name] for name in ("database", "slots", "sandbox", "audit")} == {SILENT}


def test_who_asks_with_a_session_is_told_that_it_can_not_be_looked_at(folder: Path) -> None:
    embedded.stop(folder)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "of somebody"
    assert code_of(client.get("/health/detailed"), 503) == "not_ready"


@pytest.mark.parametrize("name", ["storage", "disk"])
def test_a_disk_that_hangs(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    probe = Probe(lambda: time.sleep(5), fresh_for_s=10)
    monkeypatch.setitem(health._PROBES, (name,), probe)
    assert _reasons("/health/ready")[name] == SILENT


def test_strangers_who_ask_write_nothing_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def counted(name: str, look: Callable[[], Any]) -> Any:
        looked.append(name)
        return look()

    for name in ("database", "storage", "disk"):
        look = partial(counted, name, health._LOOKS[name])
        monkeypatch.setitem(health._LOOKS, name, look)
    began = time.monotonic()
    for _ in range(20):
        Client().get("/health/ready")
    assert looked.count("storage") == looked.count("disk") == 1
    assert looked.count("database") <= 2 + (time.monotonic() - began)


def test_a_request_waits_once_for_a_database_that_is_away(folder: Path) -> None:
    """However often it asks; and once the database is back, a fresh request has it at once."""
    pool = site_settings._POOL
    embedded.stop(folder)
    try:
        began = time.monotonic()
        asking = _pooled(pool)
        for _ in range(3):
            with pytest.raises(OperationalError):
                asking.ensure_connection()
        assert time.monotonic() - began < 4
        time.sleep(3)
        embedded.start(folder)
        _pooled(pool).ensure_connection()
    finally:
        asking.close_pool()


def _pooled(pool: dict[str, Any]) -> DatabaseWrapper:
    """A connection as a request of the web server has it."""
    own = cast("DatabaseWrapper", connections["default"].copy())
    own.settings_dict["OPTIONS"] |= {"pool": pool}
    own.settings_dict["CONN_MAX_AGE"] = 0
    return own
