"""Signed states of a chain: whoever keeps one can tell later that nothing before it changed."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from accounts.audit_chain.chain import Head, head
from accounts.audit_chain.locks import held_for_signing, now
from accounts.audit_chain.record import Row, of_tenant
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import Envelope, require_current
from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.digests import NOTHING, digest, merkle_root
from accounts.audit_chain.verifier.form import VERSION
from ffapi_site.database.sealing import SealerConnection
from ffapi_site.lib.problems import Conflict

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


class Rewritten(Conflict):
    """This chain is not the one that was sealed: nothing is signed for it"""


def older_than_kept(
    connection: SealerConnection, stored: Envelope | None, kept: Envelope | None
) -> str | None:
    """Say whether the database lacks the checkpoint that the file kept, or has another one."""
    if kept is None:
        return None
    told = kept["statement"]
    number = stored["statement"]["number"] if stored else 0
    if number < told["number"]:
        return (
            f"rolled back after checkpoint {number}: checkpoint {told['number']} was signed"
            f" to record {told['seq']} at {told['at']}"
        )
    same = connection.execute(
        "SELECT FROM accounts_auditcheckpoint WHERE id = %s", [digest_of(kept)]
    )
    if not same.rowcount:
        return f"rewritten: checkpoint {told['number']} is not the one that was signed"
    return None


def make(signer: Signer, tenant: str | None, known: Head | None = None) -> Envelope:
    """Sign the chain as it stands, with the root of the records since the checkpoint before.

    Raises ``Rewritten`` where it does not follow that checkpoint, or where ``known``, its last
    record as this process sealed it, is not its last record in the database.
    """
    connection = signer.connection
    with held_for_signing(connection):
        before = _newest(connection, tenant, "kind <> 'cut'")
        first_seq = (before["seq"] if before else 0) + 1
        which, values = of_tenant(tenant)
        rows = connection.execute(
            f"SELECT seq, prev_hash, hash FROM accounts_auditrecord WHERE {which} AND seq >= %s"  # noqa: S608
            " ORDER BY seq",
            [*values, first_seq],
        ).fetchall()
        end = head(connection, tenant)
        if end != _followed(before, rows) or end != (known or end):
            raise Rewritten(f"rewritten: record {first_seq}, or one after it, is not as sealed")
        root = merkle_root(row["hash"] for row in rows)
        more = {"first_seq": first_seq, "merkle_root": root}
        envelope = write(signer, tenant, "checkpoint", end, more)
    signer.file.append([envelope])
    return envelope


def _followed(before: Row | None, rows: list[Row]) -> Head | None:
    """Go from the checkpoint before to the last record; None where they don't follow."""
    told = before["envelope"]["statement"] if before else None
    end = Head(told["seq"], told["hash"]) if told else Head()
    for row in rows:
        if (row["seq"], row["prev_hash"]) != (end.seq + 1, end.hash):
            return None
        end = Head(row["seq"], row["hash"])
    return end


def write(
    signer: Signer, tenant: str | None, kind: str, end: Head, more: dict[str, Any]
) -> Envelope:
    """Sign and store one more statement about a chain, held for signing; the file comes later.

    Raises ``Rewritten`` where the file kept another last checkpoint than the database.
    """
    require_current(signer.connection, signer.key)
    before = last(signer.connection, tenant)
    if fault := older_than_kept(signer.connection, before, signer.file.last().get(tenant)):
        raise Rewritten(fault)
    statement = {
        "v": VERSION,
        "kind": kind,
        "tenant": tenant,
        "number": before["statement"]["number"] + 1 if before else 1,
        "seq": end.seq,
        "hash": end.hash,
        "at": now(signer.connection),
        "prev_checkpoint": digest_of(before) if before else NOTHING,
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
    return digest(canonical(envelope["statement"]))
