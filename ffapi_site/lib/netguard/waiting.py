"""How long a server asks to be left alone (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore

from ffapi_site.lib.netguard.exchange import header

_MOST_DIGITS: Final = 9


def retry_after_s(response: httpcore.Response) -> float | None:
    """Read ``Retry-After``, seconds or a date; None where it is absent or neither.

    Whatever the far end says: the caller bounds it.
    """
    told = header(response, b"retry-after") or ""
    if told.isascii() and told.isdecimal():
        return float(told[:_MOST_DIGITS])
    try:
        at = parsedate_to_datetime(told[:100])
        return max(0.0, (at.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
