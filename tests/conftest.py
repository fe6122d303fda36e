from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client, TransactionTestCase
from pytest_django import DjangoDbBlocker

from accounts import actor
from ffapi_site.lib import scope
from ffapi_site.lib.netguard.connection import _PinnedBackend
from tests.described import undescribed
from tests.harness import migrated
from tests.harness.emptying import Tables
from tests.harness.media import Samples
from tests.harness.scheduling import ByPlace

pytest_plugins = ["tests.harness.cast", "tests.harness.many_requests"]

# A test sees everything, as a command does; the requests that it makes do not.
scope.act_for_every_tenant()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByPlace:
    """Keep the tests of a live site in one process."""
    return ByPlace(config, log)


# Fixtures that start a whole site.
_SITES = {"attacked", "browser", "running_site", "shared"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is for the night to the night, and what starts a site out of `make check`."""
    for item in items:
        if _SITES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    if os.environ.get("FFAPI_NIGHTLY") == "1":
        return
    nightly = [each for each in items if each.get_closest_marker("nightly")]
    if nightly:
        config.hook.pytest_deselected(items=nightly)
        items[:] = [each for each in items if each not in set(nightly)]


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Sample media by name, shared by all the test processes of a session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "media"
    folder.mkdir(exist_ok=True)
    return Samples(folder)


@pytest.fixture(autouse=True, scope="session")
def _folders_of_this_process() -> None:
    """Let a test find only its own in a folder: the processes of a run share the data folder."""
    process = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    settings.SCRATCH_DIR = settings.SCRATCH_DIR / process
    uploads = Path(settings.FILE_UPLOAD_TEMP_DIR) / process
    uploads.mkdir(exist_ok=True)
    settings.FILE_UPLOAD_TEMP_DIR = str(uploads)


@pytest.fixture(autouse=True, scope="session")
def _settings_of_tests() -> None:
    """What no test is about, and every test would pay for."""
    # A hash by Argon2 takes a fifth of a second; tests/people has those that look at it.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Static files under their own names: nothing is collected for tests.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture(scope="session")
def django_db_keepdb(
    django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> bool:
    """Have a copy of a database in which all was migrated that had been so far."""
    if not settings.EMBEDDED_DATABASE:
        return False
    with django_db_blocker.unblock():
        migrated.create(connection.creation._get_test_db_name())  # type: ignore[attr-defined]
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Tables]:
    """A database of its own; after a test with transactions what that wrote is deleted."""
    with django_db_blocker.unblock():
        tables = Tables()
    with patch.object(TransactionTestCase, "_fixture_teardown", lambda _: tables.empty()):
        yield tables


@pytest.fixture(autouse=True)
def _nobody_acts_yet() -> None:
    """Let no test be whoever another was: outside a request an actor stays."""
    actor._acting.set(None)


@pytest.fixture(autouse=True)
def _health_is_asked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it commits, what a test wrote is seen by its own connection alone."""
    from ffapi_site.observability import health

    def look_here() -> list[health.Component]:
        found = {each.name: each for each in health._look_at_database()}
        return [found.get(name) or health._look(name) for name in health._LOOKS]

    monkeypatch.setattr(health, "look_at_all", look_here)
    monkeypatch.setattr(health, "look_at_tables", health.tables)


@pytest.fixture(autouse=True)
def _answers_as_described(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that the API answers with what its description does not know."""
    found: list[str] = []
    send = Client.request

    def watched(client: Client, **request: Any) -> Any:
        answer = send(client, **request)
        method, path = str(request["REQUEST_METHOD"]), str(request["PATH_INFO"])
        host = request.get("HTTP_HOST", client.defaults.get("HTTP_HOST"))
        is_of_media = host == urlsplit(settings.MEDIA_ORIGIN).netloc
        if not is_of_media and (fault := undescribed(method, path, answer)):
            found.append(fault)
        return answer

    monkeypatch.setattr(Client, "request", watched)
    yield
    assert found == [], "the OpenAPI description does not say so"


@pytest.fixture(autouse=True, scope="session")
def _nothing_slow_in_a_transaction() -> Iterator[None]:
    """Fail what waits for a mail server or for a stranger's while it may hold rows."""
    with (
        patch.object(EmailMessage, "send", _outside_transactions(EmailMessage.send)),
        patch.object(
            _PinnedBackend, "connect_tcp", _outside_transactions(_PinnedBackend.connect_tcp)
        ),
    ):
        yield


def _outside_transactions(wait: Callable[..., Any]) -> Callable[..., Any]:
    def watched(*asked: Any, **named: Any) -> Any:
        own = [each for each in connection.atomic_blocks if not each._from_testcase]  # type: ignore[attr-defined]
        assert own == [], "a transaction is open"
        return wait(*asked, **named)

    return watched


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Let no test leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            pytest.fail(f"a test connects to {address}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback
