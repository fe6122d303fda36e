"""Let go of old records: what was cut away is told by a signed statement in its place."""

from __future__ import annotations

from datetime import datetime

from accounts import audit
from accounts.audit_chain import checkpoints
from accounts.audit_chain.chain import Head
from accounts.audit_chain.locks import held_for_signing
from accounts.audit_chain.record import Row, moment, of_tenant
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import Envelope
from accounts.audit_chain.verifier.digests import merkle_root
from accounts.events import Event
from ffapi_site.database.sealing import SealerConnection

# The newest checkpoint before the first record that must stay: because it is too young, or because
# it was not yet forwarded everywhere. One that is about other records was rolled back.
_BOUNDARY = """
SELECT record.seq, record.hash FROM accounts_auditcheckpoint AS signed
JOIN accounts_auditrecord AS record
  ON record.tenant_id IS NOT DISTINCT FROM signed.tenant_id AND record.seq = signed.seq
  AND record.hash = signed.envelope->'statement'->>'hash'
WHERE signed.{which} AND signed.kind = 'checkpoint' AND signed.seq < COALESCE((
    SELECT min(seq) FROM accounts_auditrecord
    WHERE {which} AND seq IS NOT NULL AND (at >= %s
        OR place > (SELECT min(place) FROM accounts_auditforwarding WHERE target = ANY (%s)))
  ), 9223372036854775807)
ORDER BY signed.number DESC LIMIT 1
"""


def cut(
    signer: Signer, tenant: str | None, before: datetime, targets: list[str]
) -> Envelope | None:
    """Remove a chain's records of before that time, as far as its checkpoints allow.

    None where there are none. Records that ``targets`` have not got yet stay.
    """
    connection = signer.connection
    which, values = of_tenant(tenant)
    with held_for_signing(connection):
        end = connection.execute(
            _BOUNDARY.format(which=which), [*values, *values, before, targets]
        ).fetchone()
        if end is None:
            return None
        removed = _remove(connection, tenant, end["seq"])
        told = {"first_seq": removed[0]["seq"], "before": moment(before)}
        root = merkle_root(row["hash"] for row in removed)
        last = Head(end["seq"], end["hash"])
        envelope = checkpoints.write(signer, tenant, "cut", last, told | {"merkle_root": root})
        told["last_seq"] = last.seq
        connection.execute(*audit.statement(Event.AUDIT_CUT, tenant, details=told))
    signer.file.append([envelope])
    return envelope


def _remove(connection: SealerConnection, tenant: str | None, last_seq: int) -> list[Row]:
    """Delete a chain's records to ``last_seq``; gives their numbers and hashes."""
    which, values = of_tenant(tenant)
    old = f"FROM accounts_auditrecord WHERE {which} AND seq <= %s"
    rows = connection.execute(
        f"SELECT seq, hash {old} ORDER BY seq",
        [*values, last_seq],
    ).fetchall()
    connection.execute("SET LOCAL ffapi.audit_cut = 'on'")
    connection.execute(f"DELETE {old}", [*values, last_seq])
    return rows


def every_chain(connection: SealerConnection) -> list[str | None]:
    rows = connection.execute("SELECT id FROM accounts_tenant ORDER BY id").fetchall()
    return [None, *(row["id"] for row in rows)]
