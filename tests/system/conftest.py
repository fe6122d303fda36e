from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd
from tests.harness.server import free_port
from tests.harness.site import Site, running


@pytest.fixture(scope="package")
def far_end() -> Iterator[FarEnd]:
    """A machine of the tenants' that the platform may reach."""
    with FarEnd() as far_end:
        yield far_end


@pytest.fixture(scope="package")
def closed_port() -> int:
    """A port that the platform may reach, where nobody listens yet."""
    return free_port()


@pytest.fixture(scope="package")
def running_site(far_end: FarEnd, closed_port: int) -> Iterator[Site]:
    allowed = [far_end.authority, f"127.0.0.1:{closed_port}"]
    # One: an encode takes as long where there are many CPUs, and costs no more.
    with running("system", allowed, FFMPEG_THREADS="1") as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    """The running platform, whole at the start of the test and within this machine to its end."""
    running_site.await_slots()
    yield running_site
    assert running_site.refused_connections() == ""


@pytest.fixture(scope="package")
def _customers(running_site: Site) -> Iterator[tuple[Customer, Customer]]:
    alice, bob = running_site.customer("alice"), running_site.customer("bob")
    with alice.http, bob.http:
        yield alice, bob


@pytest.fixture
def alice(site: Site, _customers: tuple[Customer, Customer]) -> Customer:
    return _customers[0]


@pytest.fixture
def bob(site: Site, _customers: tuple[Customer, Customer]) -> Customer:
    """Of another tenant."""
    return _customers[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where downloads of this test go."""
    return tmp_path
