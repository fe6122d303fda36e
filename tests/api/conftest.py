from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import Tenant
from media_jobs.events import change_feed
from media_jobs.models import Job
from tests.factories import JobFactory, TenantFactory
from tests.harness.api_client import client_of


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return client_of(tenant)


@pytest.fixture
def job(tenant: Tenant) -> Job:
    return JobFactory.create(tenant=tenant)


@pytest.fixture
def _no_feed_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End the feed's connection, which would keep the test database in use."""
    # It sees that it is to end once it looks up.
    monkeypatch.setattr(change_feed, "_LOOKS_UP_EVERY_S", 0.1)
    yield
    change_feed.feed.close()
