"""A record as the API and plain exports tell it."""

from __future__ import annotations

import json
from typing import Any, Final

from accounts.audit_chain.record import moment
from accounts.models import AuditRecord
from ffapi_site.lib.csv_cells import csv_text

CSV_COLUMNS: Final = (
    *("id", "timestamp", "event_type", "actor_type", "actor_id", "actor_name", "resource_type"),
    *("resource_id", "action", "outcome", "details", "ip_address", "user_agent", "request_id"),
    *("seq", "hash"),
)


def to_json(record: AuditRecord) -> dict[str, Any]:
    known = record.personal or {}
    return {
        "id": record.pk,
        "timestamp": moment(record.at),
        "event_type": record.event_type,
        "actor": {
            "type": record.actor_type,
            "id": record.actor_id,
            "name": known.get("name", ""),
        },
        "resource_type": record.resource_type,
        "resource_id": record.resource_id,
        "action": record.event_type.partition(".")[2],
        "outcome": record.outcome,
        "details": record.details,
        "ip_address": known.get("ip_address", ""),
        "user_agent": known.get("user_agent", ""),
        "request_id": record.request_id,
        "chain": {"seq": record.seq, "hash": record.hash} if record.seq else None,
    }


def json_line(record: AuditRecord) -> str:
    return json.dumps(to_json(record), ensure_ascii=False) + "\n"


def csv_line(record: AuditRecord) -> str:
    nested = to_json(record)
    flat = nested | {f"actor_{name}": value for name, value in nested["actor"].items()}
    flat |= nested["chain"] or {}
    flat["details"] = json.dumps(nested["details"], ensure_ascii=False)
    return csv_text([[flat.get(name) for name in CSV_COLUMNS]])
