from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Tenant
from tests.factories import TenantFactory
from tests.harness.api_client import client_of


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return client_of(tenant)


@pytest.fixture(autouse=True)
def _media_of_its_own(own_media: Path) -> None:
    """No test finds files of another."""
