"""Give each record its place in its tenant's chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import psycopg

from accounts.audit_chain import unsealable
from accounts.audit_chain.record import COLUMNS, Row, content, digest_of_personal, of_tenant
from accounts.audit_chain.unsealable import Unsealable
from accounts.audit_chain.verifier.digests import NOTHING, record_hash
from accounts.models.audit import LAST_NUMBER
from ffapi_site.database.sealing import SealerConnection

BATCH: Final = 2000
INSTALLATION: Final = ""  # stands for the chain without a tenant, where NULL can't

# Whatever is committed and has no number: a transaction that stays open holds up nobody else, and
# what it wrote is found once it is committed.
_UNSEALED = """
SELECT {columns} FROM accounts_auditrecord
WHERE seq IS NULL AND COALESCE(tenant_id, '') {which} ALL (%s)
ORDER BY xid, id LIMIT %s
"""
_WAITING = """
SELECT DISTINCT tenant_id FROM accounts_auditrecord
WHERE seq IS NULL AND COALESCE(tenant_id, '') <> ALL (%s)
"""
_SEAL = """
UPDATE accounts_auditrecord AS record
SET seq = sealed.seq, place = sealed.place, prev_hash = sealed.prev_hash, hash = sealed.hash,
    personal_digest = sealed.personal_digest
FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
  AS sealed (id, seq, place, prev_hash, hash, personal_digest)
WHERE record.id = sealed.id AND record.seq IS NULL
"""


@dataclass(frozen=True)
class _Some:
    """Some of the chains: those that are, or are not (``which``), among ``names``."""

    which: Literal["=", "<>"]
    names: list[str]


def _all_but(tenants: Iterable[str | None]) -> _Some:
    return _Some("<>", [tenant or INSTALLATION for tenant in tenants])


@dataclass(frozen=True)
class Head:
    """The last record of a chain."""

    seq: int = 0
    hash: str = NOTHING


def head(connection: SealerConnection, tenant: str | None) -> Head:
    """Look for a chain's end: its last record or, where all were cut away, its last checkpoint."""
    which, values = of_tenant(tenant)
    row = connection.execute(
        f"SELECT seq, hash FROM accounts_auditrecord WHERE {which} AND seq IS NOT NULL"  # noqa: S608
        " ORDER BY seq DESC LIMIT 1",
        values,
    ).fetchone()
    row = (
        row
        or connection.execute(
            "SELECT seq, envelope->'statement'->>'hash' AS hash FROM accounts_auditcheckpoint"  # noqa: S608
            f" WHERE {which} AND kind <> 'cut' ORDER BY number DESC LIMIT 1",
            values,
        ).fetchone()
    )
    return Head(row["seq"], row["hash"]) if row else Head()


class Chains:
    """The chains of all tenants, each continued where it ends. There is one of these."""

    def __init__(self, connection: SealerConnection) -> None:
        self._connection = connection
        self._heads: dict[str | None, Head] = {}
        row = connection.execute(
            "SELECT max(place) AS last FROM accounts_auditrecord WHERE place < %s", [LAST_NUMBER]
        ).fetchone()
        forwarded = connection.execute(
            "SELECT max(place) AS last FROM accounts_auditforwarding"
        ).fetchone()
        self._place = max((each and each["last"]) or 0 for each in (row, forwarded))

    def waiting(self, *, but: Iterable[str | None] = ()) -> list[str | None]:
        """The chains that have records to be sealed, without those in ``but``."""
        rows = self._connection.execute(_WAITING, [_all_but(but).names]).fetchall()
        return [row["tenant_id"] for row in rows]

    def seal(
        self, *, but: Iterable[str | None] = (), only: str | None = None, batch: int = BATCH
    ) -> dict[str | None, int]:
        """Seal the next records, none of the chains in ``but``; tell how many of each tenant.

        With ``only`` those of that chain alone; `INSTALLATION` is the one without a tenant. Raises
        ``Unsealable``, and seals nothing, where one of them can't be.
        """
        chains = _Some("=", [only]) if only is not None else _all_but(but)
        try:
            with self._connection.transaction():
                rows = self._unsealed(COLUMNS, chains, batch)
                heads = self._link(rows)
                if rows:
                    self._write(rows)
        except unsealable.FAULTS as error:
            known = self._unsealed("id, tenant_id", chains, batch)
            if troubles := unsealable.among(self._connection, known):
                raise Unsealable(troubles) from error
            raise
        self._heads |= heads
        self._place += len(rows)
        counts: dict[str | None, int] = {}
        for row in rows:
            counts[row["tenant_id"]] = counts.get(row["tenant_id"], 0) + 1
        return counts

    def known_head(self, tenant: str | None) -> Head | None:
        """The end of a chain as it was sealed here; None where nothing was since the start."""
        return self._heads.get(tenant)

    def _unsealed(self, columns: str, chains: _Some, batch: int) -> list[Row]:
        told = _UNSEALED.format(columns=columns, which=chains.which)
        return self._connection.execute(told, [chains.names, batch]).fetchall()

    def _link(self, rows: list[Row]) -> dict[str | None, Head]:
        """Number and hash the rows; gives the heads that hold once they are written."""
        heads: dict[str | None, Head] = {}
        for place, row in enumerate(rows, self._place + 1):
            unsealable.require_sealable(row)
            tenant = row["tenant_id"]
            last = heads.get(tenant) or self._heads.get(tenant) or head(self._connection, tenant)
            if last.seq >= LAST_NUMBER:
                raise Unsealable({tenant: f"its last number is {last.seq}: there is no next one"})
            row["seq"], row["place"], row["prev_hash"] = last.seq + 1, place, last.hash
            row["personal_digest"] = digest_of_personal(row)
            row["hash"] = record_hash(last.hash, content(row))
            heads[tenant] = Head(row["seq"], row["hash"])
        return heads

    def _write(self, rows: list[Row]) -> None:
        names = ("id", "seq", "place", "prev_hash", "hash", "personal_digest")
        written = self._connection.execute(_SEAL, [[row[name] for row in rows] for name in names])
        if written.rowcount != len(rows):
            raise psycopg.OperationalError("somebody else seals the same records")
