"""Check the chains where they are, by the same rules as an auditor's copy."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.audit_chain import records, rollback
from accounts.audit_chain.checkpoint_file import CheckpointFile
from accounts.audit_chain.checkpoints import digest_of
from accounts.audit_chain.records import Head
from accounts.audit_chain.signing_key import Envelope, registered
from accounts.audit_chain.verifier.chain import Chain
from accounts.audit_chain.verifier.checkpoints import Checkpoints
from accounts.audit_chain.verifier.finding import first_bad
from accounts.audit_chain.verifier.keys import Keys
from ffapi_site.database.sealing import SealerConnection


@dataclass
class Inspected:
    tenant: str | None
    records: int
    checkpoints: int
    findings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def inspect(connection: SealerConnection, file: CheckpointFile) -> list[Inspected]:
    """Check every chain against its checkpoints, those in the database and those in the file."""
    keys = Keys(registered(connection), None)
    kept: dict[str | None, list[Envelope]] = {}
    for envelope in file.all():
        kept.setdefault(envelope["statement"]["tenant"], []).append(envelope)
    return [
        _inspect(connection, keys, tenant, kept.get(tenant, []))
        for tenant in records.every_chain(connection)
    ]


def _inspect(
    connection: SealerConnection, keys: Keys, tenant: str | None, kept: list[Envelope]
) -> Inspected:
    stored = records.checkpoints(connection, tenant)
    cuts = [each["statement"] for each in stored if each["statement"]["kind"] == "cut"]
    begins = Head(cuts[-1]["seq"], cuts[-1]["hash"]) if cuts else Head()
    chain = Chain(tenant, begins.seq + 1, begins.hash)
    for each in records.lines(connection, tenant):
        if not chain.read(each):
            break
    last_seq = records.head(connection, tenant).seq
    checked = Checkpoints(keys, chain, last_seq, last_seq)
    checked.check(stored)
    known = {digest_of(each) for each in stored}
    for envelope in kept:
        if digest_of(envelope) not in known:
            checked.kept(envelope)
    if not records.is_erased_after(connection, tenant, chain.next_seq - 1):
        chain.findings += chain.erasures.untold()
    found = first_bad(keys.findings + chain.findings + checked.findings)
    told = [finding.text for finding in found]
    if lost := rollback.lost(connection, tenant, kept):
        told.append(lost)
    return Inspected(tenant, len(chain.hashes), checked.count, told, checked.notices)
