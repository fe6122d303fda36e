"""What the sealer reads of the chains: their records and their checkpoints.

Keys, requests for signatures and places of forwarding are read where they are written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import DictRow

from accounts.audit_chain.record import COLUMNS, Row, line
from accounts.audit_chain.signing_key import Envelope
from accounts.audit_chain.verifier.digests import NOTHING
from accounts.audit_events import AuditEvent
from accounts.models.audit import LAST_NUMBER
from ffapi_site.database.sealing import SealerConnection

INSTALLATION: Final = ""  # stands for the chain without a tenant, where NULL can't
_CHUNK = 2000

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
_LAST_PLACE = """
SELECT COALESCE(GREATEST((SELECT max(place) FROM accounts_auditrecord WHERE place < %s),
  (SELECT max(place) FROM accounts_auditforwarding)), 0) AS place
"""
_TO_FORWARD = f"""
SELECT {COLUMNS} FROM accounts_auditrecord
WHERE place > (SELECT place FROM accounts_auditforwarding WHERE target = %s)
ORDER BY place LIMIT %s
"""  # noqa: S608 -- our own columns
_LINES = f"""
SELECT {COLUMNS} FROM accounts_auditrecord WHERE {{which}} AND seq > %(after)s
ORDER BY seq LIMIT %(limit)s
"""  # noqa: S608 -- our own columns
_LAST_RECORD = """
SELECT seq, hash FROM accounts_auditrecord WHERE {which} AND seq IS NOT NULL
ORDER BY seq DESC LIMIT 1
"""
_LAST_LEFT = """
SELECT seq, hash FROM accounts_auditrecord WHERE {which} AND seq IS NOT NULL
UNION ALL SELECT seq, envelope->'statement'->>'hash' FROM accounts_auditcheckpoint
WHERE {which} AND kind = 'cut' ORDER BY seq DESC LIMIT 1
"""
_NEWEST_CHECKPOINT = """
SELECT number, seq, envelope->'statement'->>'hash' AS hash, envelope FROM accounts_auditcheckpoint
WHERE {which} AND kind <> %(but)s ORDER BY number DESC LIMIT 1
"""
_CUT = """
SELECT FROM accounts_auditcheckpoint WHERE {which} AND kind = 'cut' AND seq = %(seq)s
AND envelope->'statement'->>'hash' = %(hash)s
"""
# The newest checkpoint before the first record that must stay: because it is too young, or because
# it was not yet forwarded everywhere. One that is about other records was rolled back. Where it is
# farther than is cut at once, the last one up to there, else the first.
_BOUNDARY = """
SELECT record.seq, record.hash, signed.envelope FROM accounts_auditcheckpoint AS signed
JOIN accounts_auditrecord AS record
  ON record.tenant_id IS NOT DISTINCT FROM signed.tenant_id AND record.seq = signed.seq
  AND record.hash = signed.envelope->'statement'->>'hash'
WHERE signed.{which} AND signed.kind = 'checkpoint' AND signed.seq < COALESCE((
    SELECT min(seq) FROM accounts_auditrecord
    WHERE {which} AND seq IS NOT NULL AND (at >= %(before)s OR place > (
      SELECT min(place) FROM accounts_auditforwarding WHERE target = ANY (%(targets)s)))
  ), 9223372036854775807)
ORDER BY CASE WHEN signed.seq < %(most)s + (SELECT min(seq) FROM accounts_auditrecord
    WHERE {which} AND seq IS NOT NULL) THEN -signed.number ELSE signed.number END LIMIT 1
"""
# Chains that went on since their last checkpoint, and those that were quiet since then.
_UNSIGNED = """
SELECT tenant.id FROM (SELECT id FROM accounts_tenant UNION ALL SELECT NULL) AS tenant
CROSS JOIN LATERAL (SELECT seq FROM accounts_auditrecord
  WHERE tenant_id IS NOT DISTINCT FROM tenant.id AND seq IS NOT NULL
  ORDER BY seq DESC LIMIT 1) AS record
LEFT JOIN LATERAL (SELECT seq, at FROM accounts_auditcheckpoint
  WHERE tenant_id IS NOT DISTINCT FROM tenant.id AND kind <> 'cut'
  ORDER BY number DESC LIMIT 1) AS signed ON true
WHERE signed.seq IS NULL OR signed.seq < record.seq OR signed.at < %s
"""


@dataclass(frozen=True)
class Head:
    """The last record of a chain."""

    seq: int = 0
    hash: str = NOTHING


def of_chain(
    connection: SealerConnection, statement: str, tenant: str | None, **values: Any
) -> psycopg.Cursor[DictRow]:
    """Execute a statement about one chain; ``{which}`` in it is the condition for its rows."""
    which = "tenant_id IS NULL" if tenant is None else "tenant_id = %(tenant)s"
    return connection.execute(statement.format(which=which), {"tenant": tenant, **values})


def every_chain(connection: SealerConnection) -> list[str | None]:
    rows = connection.execute("SELECT id FROM accounts_tenant ORDER BY id").fetchall()
    return [None, *(row["id"] for row in rows)]


def unsigned(connection: SealerConnection, quiet_since: datetime) -> list[str | None]:
    """Chains that are due for a checkpoint, whatever this process knows of them."""
    return [row["id"] for row in connection.execute(_UNSIGNED, [quiet_since]).fetchall()]


def waiting(connection: SealerConnection, *, but: Collection[str | None]) -> list[str | None]:
    """The chains that have records to be sealed, without those in ``but``."""
    rows = connection.execute(_WAITING, [[tenant or INSTALLATION for tenant in but]]).fetchall()
    return [row["tenant_id"] for row in rows]


def unsealed(
    connection: SealerConnection,
    *,
    but: Collection[str | None],
    only: str | None,
    limit: int,
    columns: str = COLUMNS,
) -> list[Row]:
    """The next records to be sealed: of all chains without those in ``but``, or of ``only`` one."""
    which, names = "<>", [tenant or INSTALLATION for tenant in but]
    if only is not None:
        which, names = "=", [only]
    told = _UNSEALED.format(columns=columns, which=which)
    return connection.execute(told, [names, limit]).fetchall()


def unsealed_count(connection: SealerConnection) -> int:
    row = connection.execute(
        "SELECT count(*) AS number FROM accounts_auditrecord WHERE seq IS NULL"
    ).fetchone()
    return int(row["number"]) if row else 0


def by_id(connection: SealerConnection, record_id: str) -> Row | None:
    return connection.execute(
        f"SELECT {COLUMNS} FROM accounts_auditrecord WHERE id = %s",  # noqa: S608 -- our own columns
        [record_id],
    ).fetchone()


def last_place(connection: SealerConnection) -> int:
    """The highest number among all records, those that were forwarded and cut away too."""
    row = connection.execute(_LAST_PLACE, [LAST_NUMBER]).fetchone()
    return int(row["place"]) if row else 0


def to_forward(connection: SealerConnection, target: str, limit: int) -> list[Row]:
    return connection.execute(_TO_FORWARD, [target, limit]).fetchall()


def lines(connection: SealerConnection, tenant: str | None) -> Iterator[dict[str, Any]]:
    """All of a chain's records as an auditor reads them, piece by piece."""
    after = 0
    while rows := of_chain(connection, _LINES, tenant, after=after, limit=_CHUNK).fetchall():
        yield from map(line, rows)
        after = rows[-1]["seq"]


def links(connection: SealerConnection, tenant: str | None, first_seq: int) -> list[Row]:
    """The hashes of a chain's records from ``first_seq`` on."""
    told = (
        "SELECT seq, prev_hash, hash FROM accounts_auditrecord"
        " WHERE {which} AND seq >= %(first_seq)s ORDER BY seq"
    )
    return of_chain(connection, told, tenant, first_seq=first_seq).fetchall()


def at(connection: SealerConnection, tenant: str | None, *seqs: int) -> dict[int, Row]:
    """The hashes of a chain's records with these numbers; one that is gone is not among them."""
    told = (
        "SELECT seq, prev_hash, hash FROM accounts_auditrecord"
        " WHERE {which} AND seq = ANY (%(seqs)s)"
    )
    rows = of_chain(connection, told, tenant, seqs=list(seqs)).fetchall()
    return {row["seq"]: row for row in rows}


def is_erased_after(connection: SealerConnection, tenant: str | None, seq: int) -> bool:
    """Does an erasure follow that record, sealed or not yet? It may be about one before it."""
    told = (
        "SELECT FROM accounts_auditrecord WHERE {which} AND event_type = %(erased)s"
        " AND (seq IS NULL OR seq > %(seq)s) LIMIT 1"
    )
    found = of_chain(connection, told, tenant, erased=AuditEvent.AUDIT_ERASED, seq=seq)
    return bool(found.rowcount)


def head(connection: SealerConnection, tenant: str | None) -> Head:
    """Look for a chain's end: its last record or, where all were cut away, its last checkpoint."""
    row = of_chain(connection, _LAST_RECORD, tenant).fetchone() or signed_end(connection, tenant)
    return Head(row["seq"], row["hash"]) if row else Head()


def left(connection: SealerConnection, tenant: str | None) -> Head:
    """The end of what is there: the last record, else the last cut."""
    row = of_chain(connection, _LAST_LEFT, tenant).fetchone()
    return Head(row["seq"], row["hash"]) if row else Head()


def checkpoints(
    connection: SealerConnection, tenant: str | None, *, after: int = 0
) -> list[Envelope]:
    """A chain's checkpoints in their order, those after number ``after``."""
    told = (
        "SELECT envelope FROM accounts_auditcheckpoint"
        " WHERE {which} AND number > %(after)s ORDER BY number"
    )
    rows = of_chain(connection, told, tenant, after=after).fetchall()
    return [row["envelope"] for row in rows]


def last_checkpoint(connection: SealerConnection, tenant: str | None) -> Envelope | None:
    """The chain's newest checkpoint of any kind."""
    row = of_chain(connection, _NEWEST_CHECKPOINT, tenant, but="").fetchone()
    return row["envelope"] if row else None


def signed_end(connection: SealerConnection, tenant: str | None) -> Row | None:
    """The newest checkpoint that tells where the chain ended; a cut tells where it begins."""
    return of_chain(connection, _NEWEST_CHECKPOINT, tenant, but="cut").fetchone()


def has_checkpoint(connection: SealerConnection, checkpoint_id: str) -> bool:
    told = "SELECT FROM accounts_auditcheckpoint WHERE id = %s"
    return bool(connection.execute(told, [checkpoint_id]).rowcount)


def is_cut(connection: SealerConnection, tenant: str | None, end: Head) -> bool:
    """Does a signed cut tell that the records up to this one were removed?"""
    return bool(of_chain(connection, _CUT, tenant, seq=end.seq, hash=end.hash).rowcount)


def boundary(
    connection: SealerConnection,
    tenant: str | None,
    before: datetime,
    targets: list[str],
    *,
    most: int,
) -> Row | None:
    """The checkpoint up to which a chain is to be cut, with the record that it is about."""
    wanted = {"before": before, "targets": targets, "most": most}
    return of_chain(connection, _BOUNDARY, tenant, **wanted).fetchone()
