"""Have an export's manifest signed: the site asks, the sealer looks for itself and signs."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from accounts.audit_chain import records
from accounts.audit_chain.locks import held_for_signing, now
from accounts.audit_chain.record import Row
from accounts.audit_chain.records import Head
from accounts.audit_chain.signing_key import (
    Envelope,
    KeyTrouble,
    SigningKey,
    registered,
    require_current,
)
from accounts.audit_chain.verifier.digests import is_digest
from accounts.audit_chain.verifier.form import FILES, NEEDED, VERSION
from accounts.models import AuditSignature
from ffapi_site.database.sealing import SealerConnection
from ffapi_site.lib.lengths import fitted
from ffapi_site.lib.problems import Unavailable

logger = logging.getLogger(__name__)

_PATIENCE_S = 10.0
_ASKED_EVERY_S = 0.05
_MOST: Final = 2**62
_LONGEST_TIME: Final = 50
_CLAIMED: Final = frozenset(
    ("first_seq", "last_seq", "first_prev_hash", "last_hash", "records", "files", "start")
)


class SealerAway(Unavailable):
    """The audit log's sealer does not answer"""

    code = "sealer_away"

    def __init__(self, refusal: str = "") -> None:
        detail = f"it does not sign this: {refusal}" if refusal else "try again in a minute"
        super().__init__(detail, headers={"Retry-After": "60"})


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
                raise SealerAway(asked.refusal)
            time.sleep(_ASKED_EVERY_S)
    finally:
        asked.delete()
    raise SealerAway


def answer(
    connection: SealerConnection, key: SigningKey, troubles: Mapping[str | None, str]
) -> int:
    """Sign what was asked for, where it is true; gives how many were answered.

    For a chain in ``troubles`` nothing is signed: it is not the one that was sealed.
    """
    rows = connection.execute(
        "SELECT id, tenant_id FROM accounts_auditsignature"
        " WHERE signature = '' AND refusal = '' ORDER BY asked_at LIMIT 20"
    ).fetchall()
    for row in rows:
        try:
            fault = troubles.get(row["tenant_id"]) or _answer(connection, key, row)
        except (KeyTrouble, psycopg.OperationalError):
            raise
        except Exception:
            # Whatever somebody wrote there, the sealer goes on.
            logger.exception("An export can't be signed", extra={"asked": row["id"]})
            fault = "this can't be signed"
        if fault:
            connection.execute(
                "UPDATE accounts_auditsignature SET refusal = %s WHERE id = %s",
                [fitted(AuditSignature, "refusal", fault), row["id"]],
            )
    connection.execute(
        "DELETE FROM accounts_auditsignature WHERE asked_at < now() - interval '1 hour'"
    )
    return len(rows)


def _answer(connection: SealerConnection, key: SigningKey, asked: Row) -> str | None:
    """Sign one manifest, or say why not."""
    row = connection.execute(
        "SELECT id, tenant_id, statement FROM accounts_auditsignature WHERE id = %s", [asked["id"]]
    ).fetchone()
    if row is None:
        return None  # nobody waits for it any more
    tenant, claims = row["tenant_id"], row["statement"]
    if fault := _fault(connection, tenant, claims):
        return fault
    with held_for_signing(connection):
        require_current(connection, key)
        statement = claims | {
            "v": VERSION,
            "kind": "manifest",
            "tenant": tenant,
            "head_seq": records.head(connection, tenant).seq,
            "erased_later": records.is_erased_after(connection, tenant, claims["last_seq"]),
            "at": now(connection),
            "key_id": key.key_id,
            "keys": registered(connection),
        }
        connection.execute(
            "UPDATE accounts_auditsignature SET statement = %s, signature = %s WHERE id = %s",
            [Jsonb(statement), key.sign(statement)["signature"], row["id"]],
        )
    return None


def _fault(connection: SealerConnection, tenant: str | None, claims: Any) -> str | None:
    """Compare what is claimed about a chain with the chain."""
    if not _is_manifest(claims):
        return "not a manifest"
    found = records.at(connection, tenant, claims["first_seq"], claims["last_seq"])
    first, last = found.get(claims["first_seq"]), found.get(claims["last_seq"])
    if first is None or last is None:
        return "there are no such records"
    told = (claims["first_prev_hash"], claims["last_hash"])
    if (first["prev_hash"], last["hash"]) != told:
        return "these are other records"
    # What comes before the first record is there or was cut away; it is not left out unsaid.
    before = Head(claims["first_seq"] - 1, claims["first_prev_hash"])
    if before.seq == 0 or records.is_cut(connection, tenant, before):
        return None
    record = records.at(connection, tenant, before.seq).get(before.seq)
    if record is None or record["hash"] != before.hash:
        return f"the record before {claims['first_seq']} is gone, and no cut tells of that"
    return "records before the first are left out" if claims["start"] is None else None


def _is_manifest(claims: Any) -> bool:
    """Has it the shape of one? The site's role may write anything into that column."""
    if not isinstance(claims, dict) or set(claims) != _CLAIMED:
        return False
    numbers = [claims[name] for name in ("first_seq", "last_seq", "records")]
    files, start = claims["files"], claims["start"]
    return (
        all(type(each) is int and 0 < each < _MOST for each in numbers)
        and claims["records"] == claims["last_seq"] - claims["first_seq"] + 1
        and is_digest(claims["first_prev_hash"])
        and is_digest(claims["last_hash"])
        and (start is None or (isinstance(start, str) and len(start) < _LONGEST_TIME))
        and isinstance(files, dict)
        and set(NEEDED) <= set(files) <= set(FILES)
        and all(map(is_digest, files.values()))
    )
