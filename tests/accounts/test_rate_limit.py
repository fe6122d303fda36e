from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from pytest_django import Settings

from accounts import rate_limit
from accounts.keys import find
from accounts.keys.issuing import issue
from accounts.models import ApiKey, RateBucket
from accounts.rate_limit import LONGEST_WINDOW_S, Limit
from ffapi_site.lib.problems import TooManyRequests
from tests.factories import ApiKeyFactory, TenantFactory

pytestmark = pytest.mark.django_db


THREE = Limit(3)


def later(seconds: float) -> None:
    RateBucket.objects.update(counted_at=F("counted_at") - timedelta(seconds=seconds))


def test_it_works() -> None:
    told = [rate_limit.count("key:1", THREE).headers for _ in range(3)]
    assert [each["RateLimit"].split(";")[1] for each in told] == ["r=2", "r=1", "r=0"]
    assert told[0]["RateLimit"] == '"default";r=2;t=20'
    assert rate_limit.count("key:2", THREE).headers["RateLimit-Policy"] == '"default";q=3;w=60'


def test_the_fourth_is_refused_until_a_token_is_back() -> None:
    for _ in range(3):
        rate_limit.count("key:1", THREE)
    later(10)
    with pytest.raises(TooManyRequests) as refused:
        rate_limit.count("key:1", THREE)
    assert refused.value.headers["Retry-After"] == "10"
    assert "3 requests a minute" in refused.value.detail
    later(10)
    assert rate_limit.count("key:1", THREE).is_granted


def test_a_refused_request_takes_nothing() -> None:
    for _ in range(3):
        rate_limit.count("key:1", THREE)
    assert not any(rate_limit.take("key:1", THREE).is_granted for _ in range(50))
    later(20)
    assert rate_limit.count("key:1", THREE).is_granted


def test_tokens_do_not_pile_up() -> None:
    rate_limit.count("key:1", THREE)
    later(100_000)
    assert int(rate_limit.count("key:1", THREE).tokens) == 2


def test_no_more_than_the_quota_comes_in_a_longer_time() -> None:
    granted = 0
    for _ in range(60):
        granted += rate_limit.take("key:1", THREE).is_granted
        later(5)
    assert granted == 3 + 5 * 60 // 20 - 1


def test_a_subject_of_its_own_has_a_limit_of_its_own() -> None:
    hourly = Limit(1, window_s=3600, name="sign-in")
    assert rate_limit.count("x", hourly).headers["RateLimit-Policy"] == '"sign-in";q=1;w=3600'
    with pytest.raises(TooManyRequests, match="1 requests a 3600 seconds"):
        rate_limit.count("x", hourly)


def test_full_buckets_are_forgotten() -> None:
    rate_limit.count("key:1", THREE)
    assert rate_limit.forget_old() == 0
    later(LONGEST_WINDOW_S + 1)
    assert rate_limit.forget_old() == 1


def test_counting_never_waits_for_the_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'accounts_ratebucket'")
        assert cursor.fetchone() == ("u",)


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_do_not_share_a_token() -> None:
    def take(_: int) -> bool:
        try:
            return rate_limit.take("key:1", Limit(10, window_s=3600)).is_granted
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(take, range(60))) == 10


class TestTenants:
    """More keys of a tenant are no more requests."""

    @pytest.fixture
    def keys(self, settings: Settings) -> list[ApiKey]:
        settings.RATE_LIMIT_REQUESTS_PER_MINUTE = THREE.quota
        return ApiKeyFactory.create_batch(3, tenant=TenantFactory.create())

    def test_it_works(self, keys: list[ApiKey]) -> None:
        for key in keys:
            assert rate_limit.count_key(key).limit.name == "default"
        with pytest.raises(TooManyRequests) as refused:
            rate_limit.count_key(keys[0])
        assert refused.value.headers["RateLimit-Policy"] == '"tenant";q=3;w=60'
        assert rate_limit.count_key(ApiKeyFactory.create()).is_granted  # a stranger's

    def test_a_refusal_takes_nothing_of_either(self, keys: list[ApiKey]) -> None:
        first, second, _ = keys
        for key in (first, first, second):
            rate_limit.count_key(key)
        for _ in range(5):
            with pytest.raises(TooManyRequests):
                rate_limit.count_key(second)
        kept = dict(RateBucket.objects.values_list("subject", "tokens"))
        assert [int(kept[f"key:{key.pk}"]) for key in (first, second)] == [1, 2]
        assert int(kept[f"tenant:{first.tenant_id}"]) == 0

    def test_it_has_a_setting_of_its_own(self, keys: list[ApiKey], settings: Settings) -> None:
        settings.RATE_LIMIT_TENANT_REQUESTS_PER_MINUTE = 5
        counted = [rate_limit.count_key(key).is_granted for key in (*keys, *keys[:2])]
        assert counted == [True] * 5
        with pytest.raises(TooManyRequests):
            rate_limit.count_key(keys[2])

    def test_what_operators_granted_one_key_is_not_taken_back(self, keys: list[ApiKey]) -> None:
        key, text = issue(keys[0].tenant, name="large", role="viewer", rate_limit_per_minute=6)
        found = find(text)
        assert found == key
        for _ in range(6):
            rate_limit.count_key(found)
        with pytest.raises(TooManyRequests):
            rate_limit.count_key(found)
