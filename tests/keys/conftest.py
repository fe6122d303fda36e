from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Tenant
from accounts.roles import Role
from tests.factories import TenantFactory
from tests.harness.api_client import client_of


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """A client with a key that may manage keys."""
    return client_of(tenant, Role.ADMIN)
