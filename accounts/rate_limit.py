"""Requests per minute, counted in PostgreSQL so that every web process sees the same count.

Token buckets: a subject may send its whole quota at once, and its tokens come back evenly over
the window. A refused request takes none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest

from accounts.models import RateBucket
from ffapi_site.lib.client_address import address_block
from ffapi_site.lib.problems import TooManyRequests

LONGEST_WINDOW_S = 3600

# One statement, so that parallel requests can't both take the last token. One that had to wait
# for the row began before it was last counted: no time has passed for it.
_TAKE = """
INSERT INTO accounts_ratebucket AS bucket (subject, tokens, counted_at, is_granted)
VALUES (%(subject)s, %(quota)s - 1, statement_timestamp(), true)
ON CONFLICT (subject) DO UPDATE SET (tokens, counted_at, is_granted) = (
  SELECT CASE WHEN level >= 1 THEN level - 1 ELSE level END,
         greatest(bucket.counted_at, statement_timestamp()),
         level >= 1
  FROM (SELECT least(%(quota)s, bucket.tokens + %(quota)s / %(window)s * greatest(0,
          extract(epoch FROM statement_timestamp() - bucket.counted_at))) AS level) AS refilled)
RETURNING tokens, is_granted
"""


@dataclass(frozen=True)
class Limit:
    """``quota`` requests in ``window_s`` seconds; ``name`` is what the headers call it."""

    quota: int
    window_s: int = 60
    name: str = "default"

    def __str__(self) -> str:
        span = "minute" if self.window_s == 60 else f"{self.window_s} seconds"
        return f"{self.quota} requests a {span}"


@dataclass(frozen=True)
class Allowance:
    """What is left of a subject's requests, as draft-ietf-httpapi-ratelimit-headers writes it."""

    limit: Limit
    tokens: float
    is_granted: bool

    @property
    def headers(self) -> dict[str, str]:
        limit = self.limit
        return {
            "RateLimit-Policy": f'"{limit.name}";q={limit.quota};w={limit.window_s}',
            "RateLimit": f'"{limit.name}";r={int(self.tokens)};t={self._seconds_to(limit.quota)}',
        }

    @property
    def retry_after_s(self) -> int:
        return self._seconds_to(1)

    def refusal(self) -> TooManyRequests:
        wait = {"Retry-After": str(self.retry_after_s)}
        return TooManyRequests(f"{self.limit} are allowed", headers=self.headers | wait)

    def _seconds_to(self, tokens: int) -> int:
        missing = max(0.0, tokens - self.tokens)
        return max(1, math.ceil(missing * self.limit.window_s / self.limit.quota))


def take(subject: str, limit: Limit) -> Allowance:
    """Take a token from the subject's bucket, where one is left."""
    quota, window_s = float(limit.quota), limit.window_s
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"subject": subject, "quota": quota, "window": window_s})
        tokens, is_granted = cursor.fetchone()
    return Allowance(limit, tokens, is_granted)


def count(subject: str, limit: Limit | None = None) -> Allowance:
    """Count one request, by the installation's limit of keys; raises ``TooManyRequests``."""
    limit = limit or Limit(settings.RATE_LIMIT_REQUESTS_PER_MINUTE)
    allowance = take(subject, limit)
    if not allowance.is_granted:
        raise allowance.refusal()
    return allowance


def count_key(key_id: str, quota: int | None) -> Allowance:
    """Count a key's request, by its own limit where it has one."""
    return count(f"key:{key_id}", Limit(quota) if quota else None)


def count_stranger(request: HttpRequest) -> Allowance:
    """Count a request that comes without proof of who sends it, by the address it comes from."""
    limit = Limit(settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE, name="address")
    return count(f"address:{address_block(request)}", limit)


def forget_old() -> int:
    """Delete the buckets that are full again; returns how many."""
    full = RateBucket.objects.filter(counted_at__lt=Now() - timedelta(seconds=LONGEST_WINDOW_S))
    return full.delete()[0]
