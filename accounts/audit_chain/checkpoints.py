"""Signed states of a chain: whoever keeps one can tell later that nothing before it changed."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from accounts.audit_chain import verify
from accounts.audit_chain.chain import Head, head
from accounts.audit_chain.locks import held_for_signing, now
from accounts.audit_chain.record import Row, of_tenant
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import Envelope, require_current
from ffapi_site.database.sealing import SealerConnection

_INSERT = """
INSERT INTO accounts_auditcheckpoint (id, tenant_id, number, kind, seq, at, envelope)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def of(
    connection: SealerConnection, tenant: str | None, *, after: int = 0, to_seq: int | None = None
) -> list[Envelope]:
    """A chain's checkpoints in their order, from number ``after`` on."""
    which, values = of_tenant(tenant)
    rows = connection.execute(
        f"SELECT envelope FROM accounts_auditcheckpoint WHERE {which} AND number > %s"  # noqa: S608
        " AND (%s::bigint IS NULL OR seq <= %s) ORDER BY number",
        [*values, after, to_seq, to_seq],
    ).fetchall()
    return [row["envelope"] for row in rows]


def last(connection: SealerConnection, tenant: str | None) -> Envelope | None:
    """The chain's newest checkpoint of any kind."""
    row = _newest(connection, tenant, "true")
    return row["envelope"] if row else None


def _newest(connection: SealerConnection, tenant: str | None, condition: str) -> Row | None:
    which, values = of_tenant(tenant)
    return connection.execute(
        f"SELECT seq, envelope FROM accounts_auditcheckpoint WHERE {which} AND {condition}"  # noqa: S608
        " ORDER BY number DESC LIMIT 1",
        values,
    ).fetchone()


def make(signer: Signer, tenant: str | None) -> Envelope:
    """Sign the chain as it stands, with the root of the records since the checkpoint before."""
    connection = signer.connection
    with held_for_signing(connection):
        before = _newest(connection, tenant, "kind <> 'cut'")
        first_seq = (before["seq"] if before else 0) + 1
        which, values = of_tenant(tenant)
        rows = connection.execute(
            f"SELECT hash FROM accounts_auditrecord WHERE {which} AND seq >= %s ORDER BY seq",  # noqa: S608
            [*values, first_seq],
        ).fetchall()
        root = verify.merkle_root(row["hash"] for row in rows)
        more = {"first_seq": first_seq, "merkle_root": root}
        envelope = write(signer, tenant, "checkpoint", head(connection, tenant), more)
    signer.file.append([envelope])
    return envelope


def write(
    signer: Signer, tenant: str | None, kind: str, end: Head, more: dict[str, Any]
) -> Envelope:
    """Sign and store one more statement about a chain, held for signing; the file comes later."""
    require_current(signer.connection, signer.key)
    before = last(signer.connection, tenant)
    statement = {
        "v": verify.VERSION,
        "kind": kind,
        "tenant": tenant,
        "number": before["statement"]["number"] + 1 if before else 1,
        "seq": end.seq,
        "hash": end.hash,
        "at": now(signer.connection),
        "prev_checkpoint": digest_of(before) if before else verify.NOTHING,
        "key_id": signer.key.key_id,
    }
    envelope = signer.key.sign(statement | more)
    store(signer.connection, envelope)
    return envelope


def store(connection: SealerConnection, envelope: Envelope) -> None:
    told = envelope["statement"]
    columns = [told[name] for name in ("tenant", "number", "kind", "seq", "at")]
    connection.execute(_INSERT, [digest_of(envelope), *columns, Jsonb(envelope)])


def digest_of(envelope: Envelope) -> str:
    return verify.digest(verify.canonical(envelope["statement"]))
