"""Let go of old records: what was cut away is told by a signed statement in its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from accounts import audit
from accounts.audit_chain import checkpoints, unsealable
from accounts.audit_chain.chain import Head
from accounts.audit_chain.checkpoints import Rewritten
from accounts.audit_chain.locks import held_for_signing
from accounts.audit_chain.record import COLUMNS, Row, line, moment, of_tenant
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import Envelope, registered
from accounts.audit_chain.verifier.chain import Chain
from accounts.audit_chain.verifier.checkpoints import is_checkpoint
from accounts.audit_chain.verifier.digests import NOTHING, merkle_root
from accounts.audit_chain.verifier.keys import Keys
from accounts.audit_events import AuditEvent
from ffapi_site.database.sealing import SealerConnection

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
    WHERE {which} AND seq IS NOT NULL AND (at >= %s
        OR place > (SELECT min(place) FROM accounts_auditforwarding WHERE target = ANY (%s)))
  ), 9223372036854775807)
ORDER BY CASE WHEN signed.seq < %s + (SELECT min(seq) FROM accounts_auditrecord WHERE {which}
    AND seq IS NOT NULL) THEN -signed.number ELSE signed.number END LIMIT 1
"""
MOST_AT_ONCE: Final = 20_000
_CHUNK = 2000
_DELETE = f"""
DELETE FROM accounts_auditrecord WHERE id IN (
  SELECT id FROM accounts_auditrecord WHERE {{which}} AND seq <= %s ORDER BY seq LIMIT %s)
RETURNING {COLUMNS}
"""  # noqa: S608 -- our own columns


def cut(
    signer: Signer, tenant: str | None, before: datetime, targets: list[str]
) -> Envelope | None:
    """Remove a chain's records of before that time, as far as its checkpoints allow.

    As many as are cut at once, `MOST_AT_ONCE` or those under its first checkpoint, for nobody signs
    meanwhile: None where there are none left. Records that ``targets`` have not got yet stay.
    Raises ``Rewritten``, and removes nothing, where they are not those that were sealed.
    """
    connection = signer.connection
    which, values = of_tenant(tenant)
    with held_for_signing(connection):
        wanted = [*values, *values, before, targets, MOST_AT_ONCE, *values]
        end = connection.execute(_BOUNDARY.format(which=which), wanted).fetchone()
        if end is None:
            return None
        removed = _remove(connection, tenant, end)
        told = {"first_seq": removed.first_seq, "before": moment(before)}
        root = merkle_root(removed.hashes)
        last = Head(end["seq"], end["hash"])
        envelope = checkpoints.write(signer, tenant, "cut", last, told | {"merkle_root": root})
        told["last_seq"] = last.seq
        connection.execute(*audit.statement(AuditEvent.AUDIT_CUT, tenant, details=told))
    signer.file.append([envelope])
    return envelope


def _remove(connection: SealerConnection, tenant: str | None, end: Row) -> Chain:
    """Delete a chain's records up to ``end``, and check just these, as they were when they went.

    Where they are not what was signed a cut would hide it for ever: raises ``Rewritten``, and with
    the transaction nothing has happened.
    """
    if fault := _fault_of(connection, end["envelope"]):
        raise Rewritten(f"rewritten: the checkpoint of record {end['seq']} is {fault}")
    lines = _removed(connection, tenant, end["seq"])
    try:
        first = next(lines)
        chain = Chain(tenant, first["seq"], first["prev_hash"])
        for each in itertools.chain([first], lines):
            if not chain.read(each):
                break
    except unsealable.FAULTS as error:
        raise Rewritten(f"rewritten: a record to {end['seq']} can't be read") from error
    if chain.findings:
        raise Rewritten(f"rewritten: {chain.findings[0].text}")
    if not _is_beginning(connection, chain):
        raise Rewritten(f"rewritten: what was before record {chain.first_seq} is gone")
    return chain


def _removed(
    connection: SealerConnection, tenant: str | None, last_seq: int
) -> Iterator[dict[str, Any]]:
    """Delete records to ``last_seq``, piece by piece; gives each as it was."""
    which, values = of_tenant(tenant)
    told = _DELETE.format(which=which)
    connection.execute("SET LOCAL ffapi.audit_cut = 'on'")
    while rows := connection.execute(told, [*values, last_seq, _CHUNK]).fetchall():
        yield from map(line, sorted(rows, key=itemgetter("seq")))


def _fault_of(connection: SealerConnection, envelope: Envelope) -> str | None:
    if not is_checkpoint(envelope):
        return "none"
    return Keys(registered(connection), None).fault_of(envelope, "checkpoint")


def _is_beginning(connection: SealerConnection, chain: Chain) -> bool:
    """Is the first record number 1, or the one after an earlier cut?"""
    begins = chain.first_seq - 1, chain.prev_hash
    which, values = of_tenant(chain.tenant)
    cuts = connection.execute(
        f"SELECT FROM accounts_auditcheckpoint WHERE {which} AND kind = 'cut' AND seq = %s"
        " AND envelope->'statement'->>'hash' = %s",
        [*values, *begins],
    )
    return begins == (0, NOTHING) or bool(cuts.rowcount)


def every_chain(connection: SealerConnection) -> list[str | None]:
    rows = connection.execute("SELECT id FROM accounts_tenant ORDER BY id").fetchall()
    return [None, *(row["id"] for row in rows)]
