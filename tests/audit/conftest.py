from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection as site_connection
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker, Settings

from accounts.audit_chain import signing_key
from accounts.audit_chain.sealer import Sealing
from accounts.audit_chain.signing_key import SigningKey
from accounts.models import Tenant
from ffapi_site.database import sealing
from ffapi_site.database.sealing import SealerConnection
from tests.audit.world import at_work, exported, sign_often
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.emptying import Tables


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
    return _auditor_of(tenant)


def _auditor_of(tenant: Tenant) -> Client:
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


@pytest.fixture(scope="session")
def _exported_once(
    django_db_setup: Tables,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """An export of thirty records, and the key that signed it; what they were made of is gone."""
    folder = tmp_path_factory.mktemp("exported")
    places = override_settings(
        AUDIT_SIGNING_KEY_FILE=str(folder / "key.pem"), AUDIT_CHECKPOINT_DIR=str(folder / "audit")
    )
    with django_db_blocker.unblock(), places:
        try:
            tenant = TenantFactory.create()
            with sealing.connect() as connection:
                sealer = Sealing(connection)
                sign_often(tenant, sealer, times=3, records=10)
                with at_work(sealer):
                    exported(_auditor_of(tenant), folder / "bundle")
        finally:
            django_db_setup.empty()
            site_connection.close()
    return folder


@pytest.fixture
def bundle(_exported_once: Path, tmp_path: Path) -> Path:
    """A copy of an export, whose log is nowhere else; its key is where this test's belongs."""
    kept_key = signing_key.key_file()
    kept_key.parent.mkdir()
    shutil.copy(_exported_once / "key.pem", kept_key)
    return shutil.copytree(_exported_once / "bundle", tmp_path / "bundle")


@pytest.fixture
def key(bundle: Path) -> SigningKey:
    """What the bundle is signed with: what a thief of the key has."""
    return SigningKey.read(signing_key.key_file())
