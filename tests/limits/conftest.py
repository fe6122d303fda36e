from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ffapi_site.lib.wrong_values import WrongValueMiddleware
from tests.audit_coverage.stage import Stage
from tests.harness.media import Samples


@pytest.fixture(autouse=True)
def _open_to_everybody(settings: Any) -> None:
    settings.REGISTRATION = "open"
    settings.MAIL_IS_SET_UP = True
    settings.RATE_LIMIT_REQUESTS_PER_MINUTE = 1_000_000


@pytest.fixture
def stage(media: Samples) -> Stage:
    return Stage(media)


@pytest.fixture(autouse=True)
def _net_is_not_needed(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What the database refuses must have been refused before, by the name of its field."""
    yield
    told = caplog.get_records("call")
    fallen = [each for each in told if each.name == WrongValueMiddleware.__module__]
    assert [each.exc_text for each in fallen] == []


@pytest.fixture(autouse=True)
def _media_of_its_own(own_media: Path) -> None:
    """No test finds files of another."""
