from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

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
def _own_media(tmp_path: Path, settings: Settings) -> None:
    media = settings.STORAGES["media"] | {"OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = settings.STORAGES | {"media": media}
