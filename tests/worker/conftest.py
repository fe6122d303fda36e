from __future__ import annotations

import pytest

from media_jobs.sandbox.namespaces import unavailable_reason


@pytest.fixture(params=["on", "off"])
def namespaces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With namespaces and without, as on a host that forbids them."""
    if request.param == "on" and unavailable_reason():
        pytest.skip("no namespaces can be made here")
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", request.param)
    return str(request.param)
