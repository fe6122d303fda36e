from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from pytest_django import Settings

from accounts import rate_limit
from accounts.models import RateWindow
from ffapi_site.lib.problems import TooManyRequests

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Settings) -> None:
    settings.RATE_LIMIT_REQUESTS_PER_MINUTE = 3


def test_it_works() -> None:
    left = [rate_limit.count("key:1").headers["RateLimit"] for _ in range(3)]
    assert [each.split(";")[1] for each in left] == ["r=2", "r=1", "r=0"]
    assert rate_limit.count("key:2").headers["RateLimit-Policy"] == '"default";q=3;w=60'


def test_the_fourth_is_refused_until_the_minute_is_over() -> None:
    for _ in range(3):
        rate_limit.count("key:1")
    with pytest.raises(TooManyRequests) as refused:
        rate_limit.count("key:1")
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    RateWindow.objects.update(started_at=F("started_at") - timedelta(seconds=60))
    assert rate_limit.count("key:1").used == 1


def test_ended_windows_are_forgotten() -> None:
    rate_limit.count("key:1")
    assert rate_limit.forget_old() == 0
    RateWindow.objects.update(started_at=F("started_at") - timedelta(seconds=61))
    assert rate_limit.forget_old() == 1


def test_counting_never_waits_for_the_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'accounts_ratewindow'")
        assert cursor.fetchone() == ("u",)
