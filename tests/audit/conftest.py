from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.audit_chain.sealer import Sealing
from accounts.models import Tenant
from ffapi_site.database import sealing
from ffapi_site.database.sealing import SealerConnection
from tests.audit.world import at_work, exported, sign_often
from tests.factories import TenantFactory
from tests.harness.api_client import client_of


@pytest.fixture(autouse=True)
def _own_key_and_file(settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_SIGNING_KEY_FILE = str(tmp_path / "secrets" / "key.pem")
    settings.AUDIT_CHECKPOINT_DIR = str(tmp_path / "audit")


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def connection(transactional_db: None) -> Iterator[SealerConnection]:
    with sealing.connect() as connection:
        yield connection


@pytest.fixture
def sealer(connection: SealerConnection) -> Sealing:
    return Sealing(connection)


@pytest.fixture
def auditor(tenant: Tenant) -> Client:
    """Someone whose key may read the log, and nothing else."""
    return client_of(tenant, role="admin", scopes=["audit:read"])


@pytest.fixture
def staff_client(settings: Settings) -> Client:
    settings.OPS_TOKEN = "ops"
    return Client(headers={"Authorization": "Bearer ops"})


@pytest.fixture
def thirty(tenant: Tenant, sealer: Sealing) -> None:
    """Thirty records under three checkpoints."""
    sign_often(tenant, sealer, times=3, records=10)


@pytest.fixture
def bundle(thirty: None, auditor: Client, sealer: Sealing, tmp_path: Path) -> Path:
    with at_work(sealer):
        return exported(auditor, tmp_path / "bundle")
