"""Hours, days and months in UTC, by the database's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

from accounts.quotas.catalogue import Window

# The window of what has none.
EVER = datetime(1970, 1, 1, tzinfo=UTC)

_STARTS = """
SELECT date_trunc('hour', now(), 'UTC'), date_trunc('day', now(), 'UTC'),
       date_trunc('month', now(), 'UTC')
"""


def current() -> dict[Window, datetime]:
    """When the windows of this moment began."""
    with connection.cursor() as cursor:
        cursor.execute(_STARTS)
        hour, day, month = cursor.fetchone()
    return {"": EVER, "hour": hour, "day": day, "month": month}


def end_of(window: Window, start: datetime) -> datetime | None:
    """When a window ends; None where what is taken is held until it is given back."""
    utc = start.astimezone(UTC)
    match window:
        case "hour":
            return utc + timedelta(hours=1)
        case "day":
            return utc + timedelta(days=1)
        case "month":
            return (utc + timedelta(days=32)).replace(day=1)
        case _:
            return None
