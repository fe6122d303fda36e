"""Give each record its place in its tenant's chain."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

import psycopg

from accounts.audit_chain import records, unsealable
from accounts.audit_chain.record import Row, content, digest_of_personal
from accounts.audit_chain.records import Head
from accounts.audit_chain.unsealable import Unsealable
from accounts.audit_chain.verifier.digests import record_hash
from accounts.models.audit import LAST_NUMBER
from ffapi_site.database.sealing import SealerConnection

BATCH: Final = 2000
_SEAL = """
UPDATE accounts_auditrecord AS record
SET seq = sealed.seq, place = sealed.place, prev_hash = sealed.prev_hash, hash = sealed.hash,
    personal_digest = sealed.personal_digest
FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
  AS sealed (id, seq, place, prev_hash, hash, personal_digest)
WHERE record.id = sealed.id AND record.seq IS NULL
"""


class Chains:
    """The chains of all tenants, each continued where it ends. There is one of these."""

    def __init__(self, connection: SealerConnection) -> None:
        self._connection = connection
        self._heads: dict[str | None, Head] = {}
        self._place = records.last_place(connection)

    def seal(
        self, *, but: Collection[str | None] = (), only: str | None = None, batch: int = BATCH
    ) -> dict[str | None, int]:
        """Seal the next records, none of the chains in ``but``; tell how many of each tenant.

        With ``only`` those of that chain alone; `INSTALLATION` is the one without a tenant. Raises
        ``Unsealable``, and seals nothing, where one of them can't be.
        """
        read = partial(records.unsealed, self._connection, but=but, only=only, limit=batch)
        try:
            with self._connection.transaction():
                rows = read()
                heads = self._link(rows)
                if rows:
                    self._write(rows)
        except unsealable.FAULTS as error:
            known = read(columns="id, tenant_id")
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

    def _link(self, rows: list[Row]) -> dict[str | None, Head]:
        """Number and hash the rows; gives the heads that hold once they are written."""
        heads: dict[str | None, Head] = {}
        for place, row in enumerate(rows, self._place + 1):
            unsealable.require_sealable(row)
            tenant = row["tenant_id"]
            last = heads.get(tenant) or self._heads.get(tenant)
            last = last or records.head(self._connection, tenant)
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
