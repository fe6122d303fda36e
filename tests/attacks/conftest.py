"""One site for all the attacks, closed in; ``site`` or a customer brings the checks along.

A test that asks for ``site``, ``alice`` or ``bob`` fails if anything happened to a canary, if
anything is left over, or if anything was answered with a 5xx, whatever else it looks at. And no
module ends before it was searched for what the canaries hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from ffapi_site.database.embedded import socket_folder
from tests.attacks.canaries import Canaries, private_film
from tests.attacks.closed_network import ClosedNetwork
from tests.attacks.ground import Ground
from tests.attacks.origin import HostileOrigin
from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd
from tests.harness.site import Site, running

LARGEST_FILE_MB = 64
LONGEST_RUN_S = 10
LONGEST_DOWNLOAD_S = 3
MEMORY_MB = 1024
PUBLIC = "93.184.216.34"
# What the names of the attacker's own DNS are answered with, in turn.
NAMES = {
    "rebinds.test": [[PUBLIC], ["127.0.0.1"]],
    "rebinds-to-itself.test": [["127.0.0.1"], [PUBLIC]],
    "rebinds-in-v6.test": [[PUBLIC], ["::1"]],
    "loopback.test": [["127.0.0.1"]],
    "localhost.localdomain": [["127.0.0.1"]],
    "loopback-in-v6.test": [["::1"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "any.test": [["0.0.0.0"]],  # noqa: S104 -- an answer, nobody listens there
    "both.test": [[PUBLIC, "127.0.0.1"]],
    "both-turned-round.test": [["127.0.0.1", PUBLIC]],
    "metadata.test": [["169.254.169.254"]],
    "private.test": [["10.0.0.1"], ["192.168.0.1"], ["172.16.0.1"]],
    "shared.test": [["100.64.0.1"]],
    "translated.test": [["64:ff9b::7f00:1"]],
}
# What attacks may cost, so that those that only cost time are over soon.
LIMITS = {
    "MAX_FILE_SIZE_MB": str(LARGEST_FILE_MB),
    "FFMPEG_TIMEOUT_SECONDS": str(LONGEST_RUN_S),
    "FFMPEG_MEMORY_MB": str(MEMORY_MB),
    "DOWNLOAD_TIMEOUT_SECONDS": str(LONGEST_DOWNLOAD_S),
    "MAX_FFMPEG_FILTERS": "32",  # a text each, all of them in one film
    "NAMES_ANSWERED": json.dumps(NAMES),
}


@pytest.fixture(scope="package")
def network() -> Iterator[ClosedNetwork]:
    network = ClosedNetwork()
    yield network
    network.close()


@pytest.fixture(scope="package")
def canaries(network: ClosedNetwork) -> Iterator[Canaries]:
    # Not under /tmp, which is closed to the sandbox's user by its modes already.
    with network.entered():
        canaries = Canaries.placed(Path(settings.DATA_DIR) / f"canaries-{os.getpid()}")
    with canaries.listeners:
        yield canaries
    canaries.watch.close()


@pytest.fixture(scope="package")
def far_end(network: ClosedNetwork) -> Iterator[FarEnd]:
    """A web server of the tenants' that the site may reach: pages, redirects, webhooks."""
    with network.entered():
        far_end = FarEnd()
    with far_end:
        yield far_end


@pytest.fixture(scope="package")
def origin(network: ClosedNetwork) -> Iterator[HostileOrigin]:
    """One that the site may reach and that breaks every rule of HTTP."""
    with network.entered():
        origin = HostileOrigin()
    with origin:
        yield origin


@pytest.fixture(scope="package")
def attacked(
    network: ClosedNetwork,
    canaries: Canaries,
    far_end: FarEnd,
    origin: HostileOrigin,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ground]:
    allowed = [far_end.authority, origin.authority]
    with network.entered(), running("attacks", allowed, **LIMITS) as site:
        film = tmp_path_factory.mktemp("victim") / "film.mp4"
        private_film(film, canaries.word)
        with site.customer("victim").http as http:
            answer = http.post("/v1/files", files={"file": ("film.mp4", film.read_bytes())})
        assert answer.status_code == 201, (answer.text, site.logs())
        [(key,)] = site.rows(
            "SELECT storage_key FROM storage_file WHERE id = %s", answer.json()["id"]
        )
        stolen = site.server.folder / "media" / key
        canaries.watch.add(stolen)
        place = socket_folder(site.server.folder / "postgres")
        with psycopg.connect(
            host=place, user="postgres", dbname="postgres", autocommit=True
        ) as database:
            yield Ground(site, canaries, stolen, database)


@pytest.fixture(scope="package")
def _customers(attacked: Ground, network: ClosedNetwork) -> Iterator[tuple[Customer, Customer]]:
    with network.entered():
        alice, bob = (attacked.watch(attacked.site.customer(name)) for name in ("alice", "bob"))
    with alice.http, bob.http:
        yield alice, bob


@pytest.fixture(scope="module")
def _no_leaks(attacked: Ground) -> Iterator[None]:
    """What the tests of a module have leaked fails the last of them, with the name of each."""
    yield
    leaks = attacked.leaks()
    assert not leaks, leaks


@pytest.fixture
def ground(
    request: pytest.FixtureRequest, network: ClosedNetwork, attacked: Ground, _no_leaks: None
) -> Iterator[Ground]:
    """The site at the start of the test; at its end everything that ``Ground`` checks holds."""
    with network.entered():
        attacked.begin(request.node.name)
        yield attacked
        attacked.check()


@pytest.fixture
def site(ground: Ground) -> Site:
    return ground.site


@pytest.fixture
def alice(ground: Ground, _customers: tuple[Customer, Customer]) -> Customer:
    """The attacker."""
    return _customers[0]


@pytest.fixture
def bob(ground: Ground, _customers: tuple[Customer, Customer]) -> Customer:
    """Of another tenant, who goes on working."""
    return _customers[1]
