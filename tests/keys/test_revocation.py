"""A key that ends does so in every process of the web server, within seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.server import Server
from tests.serving.conftest import folder  # noqa: F401 -- a fixture

pytestmark = pytest.mark.slow

WITHIN_S = 5
_SUSPEND = """
from accounts.models import Tenant
Tenant.objects.filter(name="other").update(is_active=False)
"""
_QUIET = 20  # refusals in a row: every process was asked


@pytest.fixture
def site(folder: Path) -> Iterator[Server]:  # noqa: F811 -- the fixture
    settings = {"WEB_PROCESSES": "2", "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000"}
    settings |= {"RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE": "1000000"}
    with Server.start(folder, settings=settings) as server:
        server.await_line("FFAPI serves")
        yield server


def made(site: Server, *, tenant: str = "acme") -> str:
    told = json.loads(site.manage("create_api_key", "--tenant", tenant, "--json"))
    return str(told["key"])


def ask(site: Server, key: str) -> int:
    """Each time over another connection, so that all processes are asked."""
    answer = httpx.get(f"{site.url}/v1/tenant", headers={"X-API-Key": key}, timeout=10)
    return answer.status_code


def refused_everywhere_after_s(site: Server, key: str) -> float:
    """Ask until nobody takes the key any more; gives when it was last taken."""
    start = last_taken = time.monotonic()
    in_a_row = 0
    while in_a_row < _QUIET:
        assert time.monotonic() - start < 60
        if ask(site, key) == 401:
            in_a_row += 1
        else:
            in_a_row, last_taken = 0, time.monotonic()
    return last_taken - start


def _id(key: str) -> str:
    return f"key_{key[6:32]}"


def _over_the_api(site: Server, admin: str, way: str, key: str, body: Any = None) -> None:
    path = f"{site.url}/v1/api-keys/{_id(key)}{way}"
    headers = {"X-API-Key": admin}
    method = "POST" if way else "PATCH"
    httpx.request(method, path, json=body or {}, headers=headers).raise_for_status()


def test_it_works(site: Server) -> None:
    admin = made(site)
    revoked, rotated, moved = (made(site) for _ in range(3))
    suspended = made(site, tenant="other")
    for key in (revoked, rotated, moved, suspended):
        assert {ask(site, key) for _ in range(40)} == {200}
    _over_the_api(site, admin, "/revoke", revoked)
    assert refused_everywhere_after_s(site, revoked) < WITHIN_S
    _over_the_api(site, admin, "/rotate", rotated, {"overlap_seconds": 1})
    assert refused_everywhere_after_s(site, rotated) < WITHIN_S
    _over_the_api(site, admin, "", moved, {"allowed_ips": ["192.0.2.0/24"]})
    assert refused_everywhere_after_s(site, moved) < WITHIN_S
    site.manage("shell", "-v", "0", "-c", _SUSPEND)
    assert refused_everywhere_after_s(site, suspended) < WITHIN_S
    assert ask(site, admin) == 200
