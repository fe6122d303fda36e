"""Have an export's manifest signed: the site asks, the sealer looks for itself and signs."""

from __future__ import annotations

import time
from typing import Any, Final

from psycopg.types.json import Jsonb

from accounts.audit_chain import verify
from accounts.audit_chain.chain import head
from accounts.audit_chain.locks import held_for_signing, now
from accounts.audit_chain.record import Row, of_tenant
from accounts.audit_chain.signing_key import (
    Envelope,
    SigningKey,
    registered,
    require_current,
)
from accounts.models import AuditSignature
from ffapi_site.database.sealing import SealerConnection
from ffapi_site.lib.problems import Unavailable

_PATIENCE_S = 10.0
_ASKED_EVERY_S = 0.05
_CLAIMED: Final = frozenset(
    ("first_seq", "last_seq", "first_prev_hash", "last_hash", "records", "files")
)


class SealerAway(Unavailable):
    """The audit log's sealer does not answer"""

    code = "sealer_away"

    def __init__(self) -> None:
        super().__init__("try again in a minute", headers={"Retry-After": "60"})


def ask(tenant_id: str | None, claims: dict[str, Any]) -> Envelope:
    """Give the signed manifest; raises ``SealerAway``."""
    asked = AuditSignature.objects.create(tenant_id=tenant_id, statement=claims)
    deadline = time.monotonic() + _PATIENCE_S
    try:
        while time.monotonic() < deadline:
            asked.refresh_from_db()
            if asked.signature:
                return {"statement": asked.statement, "signature": asked.signature}
            if asked.refusal:
                break
            time.sleep(_ASKED_EVERY_S)
    finally:
        asked.delete()
    raise SealerAway


def answer(connection: SealerConnection, key: SigningKey) -> int:
    """Sign what was asked for, where it is true; gives how many were answered."""
    rows = connection.execute(
        "SELECT id, tenant_id, statement FROM accounts_auditsignature"
        " WHERE signature = '' AND refusal = '' ORDER BY asked_at LIMIT 20"
    ).fetchall()
    for row in rows:
        if fault := _fault(connection, row):
            connection.execute(
                "UPDATE accounts_auditsignature SET refusal = %s WHERE id = %s", [fault, row["id"]]
            )
        else:
            _sign(connection, key, row)
    connection.execute(
        "DELETE FROM accounts_auditsignature WHERE asked_at < now() - interval '1 hour'"
    )
    return len(rows)


def _fault(connection: SealerConnection, row: Row) -> str | None:
    """Compare what is claimed about a chain with the chain."""
    claims = row["statement"]
    if set(claims) != _CLAIMED:
        return "not a manifest"
    which, values = of_tenant(row["tenant_id"])
    ends = connection.execute(
        f"SELECT seq, prev_hash, hash FROM accounts_auditrecord WHERE {which} AND seq = ANY (%s)",  # noqa: S608
        [*values, [claims["first_seq"], claims["last_seq"]]],
    ).fetchall()
    found = {each["seq"]: each for each in ends}
    first, last = found.get(claims["first_seq"]), found.get(claims["last_seq"])
    if first is None or last is None:
        return "there are no such records"
    told = (claims["first_prev_hash"], claims["last_hash"])
    return None if (first["prev_hash"], last["hash"]) == told else "these are other records"


def _sign(connection: SealerConnection, key: SigningKey, row: Row) -> None:
    with held_for_signing(connection):
        require_current(connection, key)
        statement = row["statement"] | {
            "v": verify.VERSION,
            "kind": "manifest",
            "tenant": row["tenant_id"],
            "head_seq": head(connection, row["tenant_id"]).seq,
            "at": now(connection),
            "key_id": key.key_id,
            "keys": registered(connection),
        }
        connection.execute(
            "UPDATE accounts_auditsignature SET statement = %s, signature = %s WHERE id = %s",
            [Jsonb(statement), key.sign(statement)["signature"], row["id"]],
        )
