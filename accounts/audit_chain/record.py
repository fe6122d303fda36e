"""A record as the chain seals it and as an auditor reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.digests import digest, personal_digest
from accounts.audit_chain.verifier.form import VERSION

Row = dict[str, Any]

COLUMNS = (
    "id, tenant_id, at, event_type, outcome, actor_type, actor_id, resource_type, resource_id,"
    " request_id, details, personal, salt, personal_digest, seq, place, prev_hash, hash"
)


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def digest_of_personal(row: Row) -> str:
    """What stays of the personal data once they are erased."""
    return str(row["personal_digest"] or personal_digest(row["salt"] or b"", row["personal"]))


def content(row: Row) -> dict[str, Any]:
    """What is hashed: a new meaning of any of it needs a new ``v``, never a new hash."""
    return {
        "v": VERSION,
        "tenant": row["tenant_id"],
        "seq": row["seq"],
        "id": row["id"],
        "at": moment(row["at"]),
        "actor": {"type": row["actor_type"], "id": row["actor_id"]},
        "event_type": row["event_type"],
        "resource": {"type": row["resource_type"], "id": row["resource_id"]},
        "outcome": row["outcome"],
        "request_id": row["request_id"],
        "details_digest": digest(canonical(row["details"])),
        "personal_digest": row["personal_digest"],
    }


def line(row: Row) -> dict[str, Any]:
    """A sealed record with all that is needed to check it."""
    beside = {name: row[name] for name in ("details", "personal", "prev_hash", "hash")}
    salt = None if row["salt"] is None else bytes(row["salt"]).hex()
    return content(row) | beside | {"salt": salt}
