from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.conf import settings

from ffapi_site.lib.times import day_of, midnight, moment_of

NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-31T12:00:00Z",
        "2025-01-31T12:00",
        "2025-01-31 12:00",
        "2025-01-31T14:00:00+02:00",
        "2025-01-31T14:00:00 02:00",
        "2025-01-31 14:00:00 02:00",
        " 2025-01-31T12:00:00.000Z ",
    ],
)
def test_it_works(text: str) -> None:
    assert moment_of(text) == NOON
    assert moment_of(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2025-02-30T12:00", "2025-01-31T25:00", "12:00", "\ud800", "9" * 300),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2025-01-31T00:00+99:99"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- whichever way
        moment_of(text)


def test_a_day() -> None:
    assert day_of("2025-01-31") == date(2025, 1, 31)
    assert midnight(day_of("2025-01-31")) == datetime(2025, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2025-02-30", "2025-01-31T12:00", "soon"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- whichever way
        day_of(text)


def test_nothing_else_reads_times() -> None:
    by_hand = re.compile(r"\bparse_date(?:time)?\b|\bfromisoformat\b|\bstrptime\b")
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for package in ("ffapi_site", "accounts", "storage", "media_jobs")
        for path in Path(settings.BASE_DIR / package).rglob("*.py")
        if by_hand.search(path.read_text())
    }
    # The demo is a client, and reads what the API has written.
    assert found == {"ffapi_site/lib/times.py", "ffapi_site/demo/receipt.py"}
