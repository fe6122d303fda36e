from __future__ import annotations

import os

import pytest

from tests.media import Samples


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Sample media by name, shared by all the test processes of a session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "media"
    folder.mkdir(exist_ok=True)
    return Samples(folder)
