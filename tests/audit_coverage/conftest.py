from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _media_of_its_own(own_media: Path) -> None:
    """No test finds files of another."""
