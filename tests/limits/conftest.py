from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ffapi_site.lib.wrong_values import WrongValueMiddleware
from tests.audit_coverage.stage import Stage
from tests.harness.media import Samples
from tests.pages.conftest import (  # noqa: F401 -- the same settings
    _own_media,
    _plain_static_files,
    _quick_passwords,
)


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
