"""Whatever is wrong with a key, it takes the same time to say so."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.keys.secret_format import checksum
from accounts.models import Tenant
from tests.factories import ApiKeyFactory
from tests.harness.api_client import text_of

pytestmark = pytest.mark.django_db

_APART_S = 0.005
_TIMES = 60


@pytest.fixture
def texts(tenant: Tenant) -> dict[str, str]:
    past = timezone.now() - timedelta(seconds=1)
    good = text_of(ApiKeyFactory.create(tenant=tenant))
    other = text_of(ApiKeyFactory.create(tenant=tenant))
    unknown, forged = f"ffapi_{'0' * 26}{good[32:-6]}", good[:33] + other[33:-6]
    return {
        "missing": "",
        "malformed": "ffapi_x",
        "unknown": unknown + checksum(unknown),
        "forged": forged + checksum(forged),
        "expired": text_of(ApiKeyFactory.create(tenant=tenant, expires_at=past)),
        "revoked": text_of(ApiKeyFactory.create(tenant=tenant, revoked_at=past)),
        "from elsewhere": text_of(ApiKeyFactory.create(tenant=tenant, allowed_ips=["::1/128"])),
    }


def asking(text: str) -> Callable[[], object]:
    client = Client(headers={"Authorization": f"Bearer {text}", "X-Request-ID": "same"})
    return lambda: client.get("/v1/jobs")


def test_it_takes_the_same_statements(texts: dict[str, str]) -> None:
    counts = {}
    for name, text in texts.items():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            asking(text)()
        # Whose log the record goes to is told to PostgreSQL besides.
        counts[name] = [each["sql"][:20] for each in asked if "set_config" not in each["sql"]]
    assert len(counts["missing"]) >= 4
    assert all(each == counts["missing"] for each in counts.values()), counts


def test_it_takes_the_same_time(texts: dict[str, str], settings: Settings) -> None:
    settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = 1_000_000
    taken: dict[str, list[float]] = {name: [] for name in texts}
    for _ in range(_TIMES):  # one after the other, so that what else runs is shared
        for name, text in texts.items():
            start = time.perf_counter()
            asking(text)()
            taken[name].append(time.perf_counter() - start)
    # What else runs on the machine only adds: the quickest of many is what it takes.
    quickest = {name: min(each) for name, each in taken.items()}
    assert max(quickest.values()) - min(quickest.values()) < _APART_S, quickest
