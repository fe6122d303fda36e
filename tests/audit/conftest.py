from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import audit
from accounts.audit_chain.sealer import Sealing
from accounts.events import Event
from accounts.models import Tenant
from ffapi_site.database import sealing
from ffapi_site.database.sealing import SealerConnection
from tests.audit.world import at_work, exported, superuser
from tests.factories import TenantFactory
from tests.storage.client import client_of


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
def thirty(tenant: Tenant, sealer: Sealing) -> None:
    """Thirty records under three checkpoints."""
    for _ in range(3):
        write(tenant, 10)
        sealer.step()
        sealer.sign(tenant.pk)


@pytest.fixture
def bundle(thirty: None, auditor: Client, sealer: Sealing, tmp_path: Path) -> Path:
    with at_work(sealer):
        return exported(auditor, tmp_path / "bundle")


def write(tenant: Tenant | None, number: int = 1) -> list[str]:
    whose = tenant.pk if tenant else None
    ids = [
        audit.record(Event.JOB_CREATED, whose, f"job_{each}", details={"at": each / 3})
        for each in range(number)
    ]
    _await_other_databases()
    return ids


_ELSEWHERE = """
SELECT pid, backend_xid::text FROM pg_stat_activity
WHERE datname <> current_database() AND backend_xid IS NOT NULL
"""
# What its test forgot within a transaction would stop every sealer of the server.
_END_FORGOTTEN = """
SELECT datname, query, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname <> current_database() AND backend_xid IS NOT NULL
  AND state LIKE 'idle in transaction%' AND state_change < now() - interval '120 s'
"""


def _await_other_databases() -> None:
    """PostgreSQL counts transactions by the server: another process's test may have one open."""
    until = time.monotonic() + 200
    with superuser() as cursor:
        older = set(cursor.execute(_ELSEWHERE).fetchall())
        while older & set(cursor.execute(_ELSEWHERE).fetchall()):
            assert time.monotonic() < until, "a test of another process never ends"
            for forgotten in cursor.execute(_END_FORGOTTEN).fetchall():
                print("forgotten in a transaction:", forgotten)  # noqa: T201 -- a trace of it
            time.sleep(0.2)
