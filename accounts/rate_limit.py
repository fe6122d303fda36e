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

from accounts.models import ApiKey, RateBucket
from ffapi_site.lib.client_address import address_block
from ffapi_site.lib.problems import TooManyRequests

LONGEST_WINDOW_S = 3600

# One statement, so that parallel requests can't both take the last token. One that had to wait
# for the row began before it was last counted: no time has passed for it. `excluded` is the row
# as it would be without one: its tokens and the one that is taken are the whole quota.
_TAKE = """
INSERT INTO accounts_ratebucket AS bucket (subject, tokens, counted_at, is_granted)
SELECT subject, quota - 1, statement_timestamp(), true
FROM unnest(%s::text[], %s::float[]) AS asked (subject, quota)
ON CONFLICT (subject) DO UPDATE SET (tokens, counted_at, is_granted) = (
  SELECT CASE WHEN level >= 1 THEN level - 1 ELSE level END,
         greatest(bucket.counted_at, statement_timestamp()),
         level >= 1
  FROM (SELECT least(excluded.tokens + 1, bucket.tokens + (excluded.tokens + 1) / %s * greatest(0,
          extract(epoch FROM statement_timestamp() - bucket.counted_at))) AS level) AS refilled)
RETURNING subject, tokens, is_granted
"""
_GIVE_BACK = "UPDATE accounts_ratebucket SET tokens = tokens + 1 WHERE subject = ANY(%s)"


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
    return _take({subject: limit})[subject]


def _take(limits: dict[str, Limit]) -> dict[str, Allowance]:
    """Take a token of each subject, or of none; all limits are of one window.

    Always in the same order, so that two such requests don't wait for each other.
    """
    quotas = [float(limit.quota) for limit in limits.values()]
    [window_s] = {limit.window_s for limit in limits.values()}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [list(limits), quotas, float(window_s)])
        told = {
            subject: Allowance(limits[subject], tokens, is_granted)
            for subject, tokens, is_granted in cursor.fetchall()
        }
        granted = [subject for subject, each in told.items() if each.is_granted]
        if granted and len(granted) < len(told):
            cursor.execute(_GIVE_BACK, [granted])
    return told


def count(subject: str, limit: Limit) -> Allowance:
    """Count one request; raises ``TooManyRequests``."""
    allowance = take(subject, limit)
    if not allowance.is_granted:
        raise allowance.refusal()
    return allowance


def count_key(key: ApiKey) -> Allowance:
    """Count a key's request, of the key and of its tenant: more keys are no more requests.

    Gives what is left of the key's own; raises ``TooManyRequests`` of whichever has none left.
    """
    of_all, own = f"tenant:{key.tenant_id}", f"key:{key.pk}"
    usual = settings.RATE_LIMIT_REQUESTS_PER_MINUTE
    # As much as the largest of its keys has, which nobody but the operators makes larger.
    usual_of_all = settings.RATE_LIMIT_TENANT_REQUESTS_PER_MINUTE or usual
    most = max(usual_of_all, key.largest_rate_of_tenant or 0)
    own_limit = Limit(key.rate_limit_per_minute or usual)
    told = _take({of_all: Limit(most, name="tenant"), own: own_limit})
    for allowance in (told[own], told[of_all]):
        if not allowance.is_granted:
            raise allowance.refusal()
    return told[own]


def count_stranger(request: HttpRequest) -> Allowance:
    """Count a request that comes without proof of who sends it, by the address it comes from."""
    limit = Limit(settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE, name="address")
    return count(f"address:{address_block(request)}", limit)


def forget_old() -> int:
    """Delete the buckets that are full again; returns how many."""
    full = RateBucket.objects.filter(counted_at__lt=Now() - timedelta(seconds=LONGEST_WINDOW_S))
    return full.delete()[0]
