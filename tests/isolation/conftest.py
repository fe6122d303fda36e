"""Two tenants, each defence alone, and how many combinations there were."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import TenantQuerySet
from ffapi_site.lib import scope
from tests.isolation.things import Side

DEFENCES = ("both", "row-level security alone", "querysets alone")


@pytest.fixture(autouse=True)
def _many_requests(settings: Settings, only_errors_are_logged: None) -> None:
    settings.RATE_LIMIT_REQUESTS_PER_MINUTE = 1_000_000
    settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = 1_000_000


@pytest.fixture(params=DEFENCES)
def defence(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "row-level security alone":
        monkeypatch.setattr(TenantQuerySet, "for_tenant", lambda rows, _tenant: rows.all())
    if request.param == "querysets alone":
        monkeypatch.setattr(scope, "current", lambda: scope.EVERY_TENANT)
    return str(request.param)


@pytest.fixture
def sides() -> tuple[Side, Side]:
    return Side.create("qxalpha"), Side.create("qxbravo")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    run = Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "combinations" and report.when == "call":
                    defence, number = value
                    run[defence] += number
    for defence, number in run.items():
        terminalreporter.write_line(f"isolation, {defence}: {number} combinations")


@pytest.fixture(autouse=True)
def _media_of_its_own(own_media: Path) -> None:
    """No test finds files of another."""
