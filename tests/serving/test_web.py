from __future__ import annotations

import re

import httpx
import pytest

from tests.harness.server import Server
from tests.serving.shared import OPS_TOKEN

pytestmark = pytest.mark.slow


def test_it_works(server: Server) -> None:
    """Whichever process is asked tells the requests that all of them served."""
    before = _served(server)
    for _ in range(40):  # a connection each, so that both processes have some
        httpx.get(f"{server.url}/health/live").raise_for_status()
    assert _served(server) >= before + 40


def _served(server: Server) -> float:
    told = httpx.get(
        f"{server.url}/metrics", headers={"Authorization": f"Bearer {OPS_TOKEN}"}
    ).raise_for_status()
    counted = re.search(
        r"^django_http_requests_before_middlewares_total (\S+)", told.text, re.MULTILINE
    )
    assert counted, told.text[:2000]
    return float(counted[1])
