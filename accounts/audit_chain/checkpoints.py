"""Signed states of a chain: whoever keeps one can tell later that nothing before it changed."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from accounts.audit_chain import records
from accounts.audit_chain.locks import held_for_signing, now
from accounts.audit_chain.record import Row
from accounts.audit_chain.records import Head
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
    if not records.has_checkpoint(connection, digest_of(kept)):
        return f"rewritten: checkpoint {told['number']} is not the one that was signed"
    return None


def make(signer: Signer, tenant: str | None, known: Head | None = None) -> Envelope:
    """Sign the chain as it stands, with the root of the records since the checkpoint before.

    Raises ``Rewritten`` where it does not follow that checkpoint, or where ``known``, its last
    record as this process sealed it, is not its last record in the database.
    """
    connection = signer.connection
    with held_for_signing(connection):
        before = records.signed_end(connection, tenant)
        first_seq = (before["seq"] if before else 0) + 1
        rows = records.links(connection, tenant, first_seq)
        end = records.head(connection, tenant)
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
    before = records.last_checkpoint(signer.connection, tenant)
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
