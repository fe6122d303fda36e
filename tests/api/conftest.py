from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import Tenant
from media_jobs.events.change_feed import feed
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
def _no_feed_left() -> Iterator[None]:
    """End the feed's connection, which would keep the test database in use."""
    yield
    feed.close()
