"""Times and days as people and programs write them, read in one way: in UTC, or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.utils.dateparse import parse_date, parse_datetime


def moment_of(text: str) -> datetime:
    """Read an RFC 3339 time; one without an offset is UTC. Raises ``ValueError``."""
    text = text.strip()
    if text[10:11] == " ":
        text = f"{text[:10]}T{text[11:]}"
    # An unescaped + of an offset arrives as a space in a query.
    moment = parse_datetime(text.replace(" ", "+"))
    if moment is None:
        raise ValueError("this is no time")
    try:
        # The database knows fewer offsets than Python.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("before the first year, or after the last") from error


def day_of(text: str) -> date:
    """Read a day like 2025-01-31. Raises ``ValueError``."""
    day = parse_date(text)
    if day is None:
        raise ValueError("this is no day")
    return day


def midnight(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time.min, UTC)
