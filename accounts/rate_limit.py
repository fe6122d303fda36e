"""Requests per minute, counted in PostgreSQL so that every web process sees the same count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from accounts.models import RateWindow
from ffapi_site.lib.problems import TooManyRequests

WINDOW_S = 60

# One statement, so that parallel requests can't both be the last one allowed.
_COUNT = """
INSERT INTO accounts_ratewindow AS w (subject, started_at, used)
VALUES (%(subject)s, statement_timestamp(), 1)
ON CONFLICT (subject) DO UPDATE SET
  used = CASE WHEN w.started_at + %(window)s * interval '1 s' <= statement_timestamp()
              THEN 1 ELSE w.used + 1 END,
  started_at = CASE WHEN w.started_at + %(window)s * interval '1 s' <= statement_timestamp()
                    THEN statement_timestamp() ELSE w.started_at END
RETURNING used, extract(epoch FROM
  started_at + %(window)s * interval '1 s' - statement_timestamp())
"""


@dataclass(frozen=True)
class Allowance:
    """What is left of a subject's requests, as draft-ietf-httpapi-ratelimit-headers writes it."""

    quota: int
    used: int
    resets_in_s: int

    @property
    def headers(self) -> dict[str, str]:
        remaining = max(0, self.quota - self.used)
        return {
            "RateLimit-Policy": f'"default";q={self.quota};w={WINDOW_S}',
            "RateLimit": f'"default";r={remaining};t={self.resets_in_s}',
        }


def count(subject: str) -> Allowance:
    """Count one request; raises ``TooManyRequests`` where the minute has none left."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"subject": subject, "window": WINDOW_S})
        used, resets_in_s = cursor.fetchone()
    quota: int = settings.RATE_LIMIT_REQUESTS_PER_MINUTE
    allowance = Allowance(quota, used, max(1, math.ceil(resets_in_s)))
    if used > quota:
        wait = {"Retry-After": str(allowance.resets_in_s)}
        raise TooManyRequests(
            f"{quota} requests a minute are allowed", headers=allowance.headers | wait
        )
    return allowance


def forget_old() -> int:
    """Delete the windows that ended; returns how many."""
    ended = RateWindow.objects.filter(started_at__lt=Now() - timedelta(seconds=WINDOW_S))
    return ended.delete()[0]
