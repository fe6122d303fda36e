"""Who may seal, and who may sign: advisory locks, so that a dead holder holds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.audit_chain.record import moment
from ffapi_site.database.sealing import SealerConnection


def take_sealing(connection: SealerConnection) -> bool:
    """Become the one sealer, for as long as the connection lasts."""
    row = connection.execute(
        "SELECT pg_try_advisory_lock(hashtext('ffapi audit sealer')) AS is_ours"
    ).fetchone()
    return bool(row and row["is_ours"])


@contextmanager
def held_for_signing(connection: SealerConnection) -> Iterator[None]:
    """Be in a transaction in which nobody else signs: numbers and times follow each other."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('ffapi audit signing'))")
        yield


def now(connection: SealerConnection) -> str:
    row = connection.execute("SELECT clock_timestamp() AS at").fetchone()
    return moment(row["at"]) if row else ""
