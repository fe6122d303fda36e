"""Many writers, rollbacks, and a sealer that is killed: the chains are what was committed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.core.management import call_command
from django.db import connection as site_connection
from django.db import transaction

from accounts import audit
from accounts.audit_chain.sealer import Sealing
from accounts.audit_events import AuditEvent
from accounts.models import AuditRecord, Tenant
from ffapi_site.database.sealing import SealerConnection
from tests.audit.test_sealing import chain_of
from tests.audit.world import at_work
from tests.factories import TenantFactory

_KILLS = 5
ROOT = Path(__file__).resolve().parents[2]
_SEALERS = """
import os, sys
import django
from django.conf import settings
from ffapi_site.lib import scope
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
scope.act_for_every_tenant()
from accounts.management.commands import audit
from django.core.management import call_command
from ffapi_site.lib.watched import die_with_parent
for _ in sys.stdin:
    sealer = os.fork()
    if sealer == 0:
        die_with_parent()
        call_command(audit.Command(), "seal")
    print(sealer, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(sealer, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Sealers:
    """Starts one sealer's process after the other, with all that it needs loaded already."""

    parent: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[Self]:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "ffapi_site.settings",
            "AUDIT_SIGNING_KEY_FILE": settings.AUDIT_SIGNING_KEY_FILE,
            "AUDIT_CHECKPOINT_DIR": settings.AUDIT_CHECKPOINT_DIR,
        }
        command = [sys.executable, "-c", _SEALERS, site_connection.settings_dict["NAME"]]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as parent:
            try:
                yield cls(parent)
            finally:
                parent.kill()

    def start(self) -> int:
        """Give its process id."""
        assert self.parent.stdin is not None
        self.parent.stdin.write("\n")
        self.parent.stdin.flush()
        return self._told()

    def end(self, pid: int, how: signal.Signals) -> int:
        """Give the status with which it ended."""
        os.kill(pid, how)
        return self._told()

    def _told(self) -> int:
        assert self.parent.stdout is not None
        return int(self.parent.stdout.readline())


class Writers:
    """Threads that record things for tenants, and change their minds about some."""

    def __init__(
        self, tenants: list[Tenant | None], number: int, each: int, *, pause_s: float = 0.01
    ) -> None:
        self.committed: list[tuple[str | None, str]] = []
        self.stop = threading.Event()
        self._tenants = tenants
        self._pause_s = pause_s
        self._threads = [
            threading.Thread(target=self._write, args=(seed, each)) for seed in range(number)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def _write(self, seed: int, each: int) -> None:
        dice = random.Random(seed)  # noqa: S311 -- the same ones each time
        try:
            for _ in range(each):
                if self.stop.is_set():
                    return
                self._transaction(dice)
        finally:
            site_connection.close()

    def _transaction(self, dice: random.Random) -> None:
        made = []
        with transaction.atomic():
            for _ in range(dice.randint(1, 3)):
                tenant = dice.choice(self._tenants)
                tenant_id = tenant.pk if tenant else None
                made.append((tenant_id, audit.record(AuditEvent.JOB_CREATED, tenant_id)))
                time.sleep(dice.random() * self._pause_s)
            is_rolled_back = dice.random() < 0.3
            transaction.set_rollback(is_rolled_back)
        if not is_rolled_back:
            self.committed += made


def _some_tenants() -> list[Tenant | None]:
    return [None, *(TenantFactory.create() for _ in range(4))]


def _assert_chained(tenants: list[Tenant | None], committed: list[tuple[str | None, str]]) -> None:
    """Each chain is without a gap, and holds what was committed and nothing else."""
    for tenant in tenants:
        chain_of(tenant)
    sealed = AuditRecord.objects.filter(event_type="job.created", seq__isnull=False)
    assert sorted(sealed.values_list("tenant_id", "id"), key=str) == sorted(committed, key=str)
    assert not AuditRecord.objects.filter(seq=None).exists()


def test_fifty_writers_and_their_rollbacks(sealer: Sealing, connection: SealerConnection) -> None:
    tenants = _some_tenants()
    with at_work(sealer), Writers(tenants, 50, 12) as writers:
        pass
    while sealer.step():
        pass
    sealer.step()
    assert len(writers.committed) > 500
    _assert_chained(tenants, writers.committed)


def test_a_killed_sealer_goes_on_where_it_was(transactional_db: None) -> None:
    tenants = _some_tenants()
    dice = random.Random(9)  # noqa: S311 -- as above
    with Sealers.ready() as sealers:
        with Writers(tenants, 6, 10_000, pause_s=0.1) as writers:
            for _ in range(_KILLS):
                sealer = sealers.start()
                _await_progress()
                time.sleep(dice.random() * 0.7)
                assert sealers.end(sealer, signal.SIGKILL) == -signal.SIGKILL
            writers.stop.set()
        writers.committed.append((None, audit.record(AuditEvent.JOB_CREATED, None)))
        sealer = sealers.start()
        deadline = time.monotonic() + 60
        while AuditRecord.objects.filter(seq=None).exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert sealers.end(sealer, signal.SIGTERM) == 0
    _assert_chained(tenants, writers.committed)
    call_command("audit", "verify", stdout=StringIO())


def _await_progress() -> None:
    """Until the sealer that was just started has sealed something."""
    sealed = AuditRecord.objects.filter(seq__isnull=False)
    before, deadline = sealed.count(), time.monotonic() + 30
    while sealed.count() == before and time.monotonic() < deadline:
        time.sleep(0.01)
