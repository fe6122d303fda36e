"""A period as somebody asks for it."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from django.utils import timezone

from accounts.usage.report import Period
from ffapi_site.lib.query import wrong
from ffapi_site.lib.times import day_of, moment_of

_USUAL = timedelta(days=29)
_LONGEST_DAYS = 366


def period_of(first: str | None, last: str | None) -> Period:
    """Read days or RFC 3339 times. Raises `Invalid` that names the parameter."""
    until = _day("to", last) if last else timezone.now().astimezone(UTC).date()
    since = _day("from", first) if first else until - min(_USUAL, until - date.min)
    if since > until:
        raise wrong("from", "it lies after the last day")
    if (until - since).days >= _LONGEST_DAYS:
        raise wrong("from", f"at most {_LONGEST_DAYS} days at once")
    return Period(since, until)


def _day(name: str, text: str) -> date:
    try:
        day = day_of(text) if len(text) == 10 else moment_of(text).date()
    except ValueError as error:
        raise wrong(name, "must be a day like 2025-01-31, or an RFC 3339 time") from error
    if not 1971 <= day.year <= 9998:
        raise wrong(name, "the year must lie between 1971 and 9998")
    return day
