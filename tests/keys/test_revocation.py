"""A key that ends does so in every process of the web server, within seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.harness.server import Server
from tests.harness.site import running

pytestmark = pytest.mark.slow

WITHIN_S = 5
_MAKE = """
import json
from accounts import keys
from accounts.models import Tenant
from accounts.roles import Role
acme, other = (Tenant.objects.create(name=name) for name in ("acme", "other"))
owners = {"admin": acme, "revoked": acme, "rotated": acme, "moved": acme, "suspended": other}
made = {name: keys.issue(of, name=name, role=Role.ADMIN)[1] for name, of in owners.items()}
print(json.dumps(made))
"""
_SUSPEND = """
from accounts.models import Tenant
Tenant.objects.filter(name="other").update(is_active=False)
"""
_QUIET = 20  # refusals in a row: every process was asked


# Each request goes over another connection, so that all processes are asked; what all of them need
# of TLS is read once.
_HTTP = httpx.Client(timeout=10, limits=httpx.Limits(max_keepalive_connections=0))


@pytest.fixture
def site() -> Iterator[Server]:
    with running("revocation", [], WORKERS="1", WEB_PROCESSES="2") as site:
        yield site.server


def ask(site: Server, key: str) -> int:
    return _HTTP.get(f"{site.url}/v1/tenant", headers={"X-API-Key": key}).status_code


def refused_everywhere_after_s(site: Server, key: str, since: float) -> float:
    """Ask until nobody takes the key any more; gives when it was last taken."""
    last_taken = since
    in_a_row = 0
    while in_a_row < _QUIET:
        assert time.monotonic() - since < 60
        if ask(site, key) == 401:
            in_a_row += 1
        else:
            in_a_row, last_taken = 0, time.monotonic()
    return last_taken - since


def _id(key: str) -> str:
    return f"key_{key[6:32]}"


def _over_the_api(site: Server, admin: str, way: str, key: str, body: Any = None) -> None:
    path = f"{site.url}/v1/api-keys/{_id(key)}{way}"
    headers = {"X-API-Key": admin}
    method = "POST" if way else "PATCH"
    _HTTP.request(method, path, json=body or {}, headers=headers).raise_for_status()


def test_it_works(site: Server) -> None:
    keys: dict[str, str] = json.loads(site.manage("shell", "-v", "0", "-c", _MAKE))
    admin = keys.pop("admin")
    for key in keys.values():
        assert {ask(site, key) for _ in range(40)} == {200}
    site.manage("shell", "-v", "0", "-c", _SUSPEND)
    ended_at = {"suspended": time.monotonic()}
    for name, way, body in (
        ("revoked", "/revoke", {}),
        ("rotated", "/rotate", {"overlap_seconds": 1}),
        ("moved", "", {"allowed_ips": ["192.0.2.0/24"]}),
    ):
        _over_the_api(site, admin, way, keys[name], body)
        ended_at[name] = time.monotonic()
    for name, since in ended_at.items():
        assert refused_everywhere_after_s(site, keys[name], since) < WITHIN_S, name
    assert ask(site, admin) == 200
