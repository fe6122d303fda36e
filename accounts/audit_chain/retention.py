"""Let go of old records: what was cut away is told by a signed statement in its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from accounts import audit
from accounts.audit_chain import checkpoints, records, unsealable
from accounts.audit_chain.checkpoints import Rewritten
from accounts.audit_chain.locks import held_for_signing
from accounts.audit_chain.record import COLUMNS, Row, line, moment
from accounts.audit_chain.records import Head
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import Envelope, registered
from accounts.audit_chain.verifier.chain import Chain
from accounts.audit_chain.verifier.checkpoints import is_checkpoint
from accounts.audit_chain.verifier.digests import merkle_root
from accounts.audit_chain.verifier.keys import Keys
from accounts.audit_events import AuditEvent
from ffapi_site.database.sealing import SealerConnection

MOST_AT_ONCE: Final = 20_000
_CHUNK = 2000
_DELETE = f"""
DELETE FROM accounts_auditrecord WHERE id IN (
  SELECT id FROM accounts_auditrecord WHERE {{which}} AND seq <= %(last_seq)s
  ORDER BY seq LIMIT %(limit)s)
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
    with held_for_signing(connection):
        end = records.boundary(connection, tenant, before, targets, most=MOST_AT_ONCE)
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
    fault: str | None = "none"
    if is_checkpoint(end["envelope"]):
        fault = Keys(registered(connection), None).fault_of(end["envelope"], "checkpoint")
    if fault:
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
    before = Head(chain.first_seq - 1, chain.prev_hash)
    if before != Head() and not records.is_cut(connection, tenant, before):
        raise Rewritten(f"rewritten: what was before record {chain.first_seq} is gone")
    return chain


def _removed(
    connection: SealerConnection, tenant: str | None, last_seq: int
) -> Iterator[dict[str, Any]]:
    """Delete records to ``last_seq``, piece by piece; gives each as it was."""
    wanted = {"last_seq": last_seq, "limit": _CHUNK}
    connection.execute("SET LOCAL ffapi.audit_cut = 'on'")
    while rows := records.of_chain(connection, _DELETE, tenant, **wanted).fetchall():
        yield from map(line, sorted(rows, key=itemgetter("seq")))
