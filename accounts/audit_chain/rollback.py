"""Find out whether the database is an older one than was signed, and go on only when told to."""

from __future__ import annotations

from collections.abc import Callable

from accounts import audit
from accounts.audit_chain import checkpoints, records
from accounts.audit_chain.checkpoint_file import CheckpointFile
from accounts.audit_chain.checkpoints import digest_of, older_than_kept
from accounts.audit_chain.locks import held_for_signing
from accounts.audit_chain.records import Head
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import Envelope
from accounts.audit_events import AuditEvent
from ffapi_site.database.sealing import SealerConnection


class CannotAccept(Exception):  # noqa: N818 -- reads as the sentence it is
    """This is no rollback that could be accepted"""


def reconcile(
    connection: SealerConnection, file: CheckpointFile, go_on: Callable[[], None] = lambda: None
) -> dict[str | None, str]:
    """Hold the database against the file; gives the chains that must not go on, with the reason.

    What only the database has is written to the file: the process ended between the two.
    """
    kept = file.last()
    known = records.every_chain(connection)
    known += [tenant for tenant in kept if tenant not in known]
    troubles = {}
    for tenant in known:
        go_on()
        stored = records.last_checkpoint(connection, tenant)
        if trouble := lost(connection, tenant, [kept[tenant]] if tenant in kept else []):
            troubles[tenant] = trouble
        elif stored:
            number = _number(kept[tenant]) if tenant in kept else 0
            if missing := records.checkpoints(connection, tenant, after=number):
                file.append(missing)
    return troubles | file.contradictions()


def lost(connection: SealerConnection, tenant: str | None, kept: list[Envelope]) -> str | None:
    """Say what of a chain is missing, by its checkpoints here and those that the file kept."""
    stored = records.last_checkpoint(connection, tenant)
    newest = max(kept, key=_number, default=None)
    if fault := older_than_kept(connection, stored, newest):
        return fault
    row = records.signed_end(connection, tenant)
    if row is None or row["seq"] == 0:
        return None
    found = records.at(connection, tenant, row["seq"]).get(row["seq"])
    if found is not None:
        return None if found["hash"] == row["hash"] else f"record {row['seq']} was rewritten"
    if records.left(connection, tenant) == Head(row["seq"], row["hash"]):
        return None  # cut away, all of them
    return f"records to {row['seq']} are gone, which checkpoint {row['number']} covers"


def _number(envelope: Envelope) -> int:
    return int(envelope["statement"]["number"])


def accept(signer: Signer, tenant: str | None, reason: str) -> Envelope:
    """Sign that what was lost is lost, so that the chain can go on from what is there.

    Raises ``CannotAccept`` where nothing was rolled back, or the checkpoints themselves differ.
    """
    connection = signer.connection
    if tenant not in reconcile(connection, signer.file):
        raise CannotAccept("nothing of this chain is missing")
    if contradiction := signer.file.contradictions().get(tenant):
        raise CannotAccept(contradiction)
    with held_for_signing(connection):
        _take_back(connection, tenant, signer.file.of(tenant))
        end = records.left(connection, tenant)
        # What was sealed after the last checkpoint left no trace here. Earlier ones may be about
        # higher numbers, which an earlier rollback told of.
        signed = records.signed_end(connection, tenant)
        lost_seq = max(end.seq, signed["envelope"]["statement"]["seq"] if signed else 0)
        told = {"kept_to": end.seq, "lost_at_least_to": lost_seq, "reason": reason}
        more = {"first_seq": end.seq + 1, "lost_seq": lost_seq, "reason": reason}
        envelope = checkpoints.write(signer, tenant, "rollback", end, more)
        connection.execute(
            *audit.statement(AuditEvent.AUDIT_ROLLBACK_ACCEPTED, tenant, details=told)
        )
    signer.file.append([envelope])
    return envelope


def _take_back(connection: SealerConnection, tenant: str | None, signed: list[Envelope]) -> None:
    """Put the checkpoints that only the file has into the database again."""
    stored = records.last_checkpoint(connection, tenant)
    number = _number(stored) if stored else 0
    numbered = {_number(envelope): envelope for envelope in signed}
    for each in sorted(numbered):
        if each > number:
            checkpoints.store(connection, numbered[each])
    newest = records.last_checkpoint(connection, tenant)
    if newest is None or (numbered and digest_of(newest) != digest_of(numbered[max(numbered)])):
        raise CannotAccept("the checkpoints in the database are not those that were signed")
