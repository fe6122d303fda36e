"""The one process that seals, signs and forwards the audit log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import psycopg
from django.conf import settings
from psycopg.types.json import Jsonb

from accounts.audit_chain import checkpoints, forwarding, records, retention, rollback, signatures
from accounts.audit_chain.chain import BATCH, Chains
from accounts.audit_chain.checkpoint_file import CheckpointFile
from accounts.audit_chain.locks import take_sealing
from accounts.audit_chain.records import INSTALLATION
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import KeyTrouble, opened, require_current
from accounts.audit_chain.unsealable import Unsealable
from ffapi_site.database import sealing
from ffapi_site.database.sealing import SealerConnection
from ffapi_site.lib.chores import Chore, keep_doing, spawn

logger = logging.getLogger(__name__)

_PAUSE_S = 0.5
_STANDBY_S = 2.0
_CHORES_S = 3600.0
_CHORES_WITHIN_S = 5.0  # records are not sealed meanwhile
CHECKPOINT_EVERY_S: Final = 60.0
CHECKPOINT_EVERY_RECORDS: Final = 1000
_QUIET = timedelta(days=1)
# What the disk, the key, the database or another sealer is to blame for.
_NO_CHAIN_S = (
    OSError,
    KeyTrouble,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.UniqueViolation,
    psycopg.ProgrammingError,
)
_BEAT = """
INSERT INTO accounts_auditsealer (name, heartbeat_at, is_reduced, troubles)
VALUES ('sealer', now(), %(is_reduced)s, %(troubles)s)
ON CONFLICT (name) DO UPDATE SET heartbeat_at = now(),
  is_reduced = excluded.is_reduced, troubles = excluded.troubles
"""


class Sealing:
    """What a sealer does while it holds the lock: a step, again and again.

    ``go_on`` is called for each chain and each cut: all of them together may take as long as they
    like.
    """

    def __init__(
        self,
        connection: SealerConnection,
        file: CheckpointFile | None = None,
        go_on: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._go_on = go_on
        self.signer = Signer(connection, opened(connection), file or CheckpointFile())
        self.troubles = rollback.reconcile(connection, self.signer.file, go_on)
        for tenant, trouble in self.troubles.items():
            _warn(tenant, trouble)
        self._chains = Chains(connection)
        self._unsigned: dict[str | None, int] = {}
        self._signed_at = time.monotonic()
        self._chores_at = -_CHORES_S
        self._chores: Iterator[None] = iter(())

    def step(self) -> bool:
        """Seal a batch, sign what is due; tell whether there may be more to be done at once."""
        require_current(self._connection, self.signer.key)
        sealed = self._seal()
        for tenant, number in sealed.items():
            self._unsigned[tenant] = self._unsigned.get(tenant, 0) + number
        signatures.answer(self._connection, self.signer.key, self.troubles)
        self._sign_what_is_due()
        has_chores = self._do_chores()
        self._beat()
        return has_chores or sum(sealed.values()) >= BATCH

    def _seal(self) -> dict[str | None, int]:
        """Seal a batch; where a record can't be sealed its chain is left alone from now on."""
        try:
            return self._chains.seal(but=self.troubles)
        except Unsealable as found:
            for tenant, trouble in found.troubles.items():
                self._stand_still(tenant, trouble)
            return {}
        except _NO_CHAIN_S:
            raise
        except Exception:  # a number that is too large for its column, say
            logger.exception("A batch can't be sealed")
            return self._seal_apart()

    def _seal_apart(self) -> dict[str | None, int]:
        """Seal each chain by itself, where nobody knows which one is at fault: it alone waits."""
        sealed: dict[str | None, int] = {}
        for tenant in records.waiting(self._connection, but=self.troubles):
            self._go_on()
            with self._standing_still(tenant):
                sealed |= self._chains.seal(only=tenant or INSTALLATION)
        return sealed

    def sign(self, tenant: str | None) -> None:
        self._go_on()
        self._unsigned.pop(tenant, None)
        with self._standing_still(tenant):
            checkpoints.make(self.signer, tenant, self._chains.known_head(tenant))

    @contextmanager
    def _standing_still(self, tenant: str | None) -> Iterator[None]:
        """Leave a chain alone from now on where it is found to be another one than was sealed.

        So is one with which something goes wrong that nobody thought of: the others go on. What
        the disk or the database is to blame for is no chain's.
        """
        try:
            yield
        except checkpoints.Rewritten as trouble:
            self._stand_still(tenant, trouble.detail)
        except _NO_CHAIN_S:
            raise
        except Exception as error:
            logger.exception("A chain can't be gone on with", extra={"chain": tenant})
            self._stand_still(tenant, f"its sealer met with {type(error).__name__}")

    def _stand_still(self, tenant: str | None, trouble: str) -> None:
        self.troubles[tenant] = trouble
        _warn(tenant, trouble)

    def _sign_what_is_due(self) -> None:
        is_time = time.monotonic() - self._signed_at > CHECKPOINT_EVERY_S
        for tenant, number in list(self._unsigned.items()):
            if is_time or number >= CHECKPOINT_EVERY_RECORDS:
                self.sign(tenant)
        if is_time:
            self._signed_at = time.monotonic()

    def _do_chores(self) -> bool:
        """Do what is due once an hour, for a moment at a time; tell whether there is more of it."""
        started = time.monotonic()
        if started - self._chores_at > _CHORES_S:
            self._chores_at, self._chores = started, self._hourly()
        return any(time.monotonic() - started > _CHORES_WITHIN_S for _ in self._chores)

    def _hourly(self) -> Iterator[None]:
        """Sign for chains that are quiet or were left unsigned; cut where that is asked for."""
        for tenant in records.unsigned(self._connection, datetime.now(UTC) - _QUIET):
            if tenant not in self.troubles:
                self.sign(tenant)
                yield
        if days := settings.AUDIT_RETENTION_DAYS:
            before = datetime.now(UTC) - timedelta(days=days)
            for tenant in records.every_chain(self._connection):
                while self._cut(tenant, before):
                    yield
                yield

    def _cut(self, tenant: str | None, before: datetime) -> bool:
        """Cut once; tell whether there was something to cut."""
        self._go_on()
        if tenant not in self.troubles:
            with self._standing_still(tenant):
                targets = forwarding.targets()
                return retention.cut(self.signer, tenant, before, targets) is not None
        return False

    def _beat(self) -> None:
        tell(self._connection, list(self.troubles.items()))


def _warn(tenant: str | None, trouble: str) -> None:
    logger.critical("An audit chain stands still", extra={"chain": tenant, "why": trouble})


def tell(connection: SealerConnection, troubles: list[tuple[str | None, str]]) -> None:
    """Leave a sign of life, with what is wrong."""
    told = [{"chain": tenant or INSTALLATION, "detail": text} for tenant, text in troubles]
    values = {"is_reduced": sealing.is_reduced(), "troubles": Jsonb(told)}
    connection.execute(_BEAT, values)


def run(stop: threading.Event, go_on: Callable[[], None] = lambda: None) -> None:
    """Seal until told to stop; one process does, others stand by in case it dies.

    ``go_on`` is called with each step, for whoever watches that there are any.
    """

    def serve() -> None:
        go_on()
        with sealing.connect() as connection:
            _serve(connection, stop, go_on)

    keep_doing(Chore("audit sealer", serve, longest_rest_s=_STANDBY_S), stop, pause_s=_PAUSE_S)


def _serve(connection: SealerConnection, stop: threading.Event, go_on: Callable[[], None]) -> None:
    while not take_sealing(connection):
        go_on()
        if stop.wait(_STANDBY_S):
            return
    forwarding.forget_others(connection)
    try:
        with _forwarding():
            seal_until(stop, Sealing(connection, go_on=go_on), go_on)
    except KeyTrouble as trouble:
        # Another host may have the key: closing the connection lets it seal.
        logger.critical("The audit log is not sealed", extra={"why": str(trouble)})
        tell(connection, [(None, str(trouble))])
        stop.wait(_STANDBY_S)


def seal_until(
    stop: threading.Event, sealing_now: Sealing, go_on: Callable[[], None] = lambda: None
) -> None:
    while not stop.is_set():
        go_on()
        if not sealing_now.step():
            stop.wait(_PAUSE_S)


@contextmanager
def _forwarding() -> Iterator[None]:
    stop = threading.Event()
    threads = [
        spawn(f"forward to {target}", partial(forwarding.forward_until, stop, target))
        for target in forwarding.targets()
    ]
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_STANDBY_S)
