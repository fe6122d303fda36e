"""Erase personal data: the chain holds on, since it only ever knew a salted digest of them."""

from __future__ import annotations

from accounts import audit
from accounts.audit_events import AuditEvent
from ffapi_site.database.sealing import SealerConnection

_ERASE = """
UPDATE accounts_auditrecord SET personal = NULL, salt = NULL
WHERE personal IS NOT NULL AND seq IS NOT NULL AND ({condition})
RETURNING tenant_id
"""
_OF_PERSON = """
    actor_type IN ('user', 'staff') AND actor_id = %(id)s
    OR EXISTS (SELECT FROM jsonb_each_text(personal) AS told WHERE told.value = ANY (%(names)s))
"""
_OF_ADDRESS = "personal->>'ip_address' = %(address)s"


def of_person(connection: SealerConnection, person_id: str, names: list[str]) -> int:
    """Erase the personal data of records that a person made, or that hold one of their names.

    With the salt gone the digest that stays says nothing: even a known name can't be tried.
    """
    return _erase(connection, _OF_PERSON, {"id": person_id, "names": names}, "person")


def of_address(connection: SealerConnection, address: str) -> int:
    return _erase(connection, _OF_ADDRESS, {"address": address}, "address")


def _erase(
    connection: SealerConnection, condition: str, values: dict[str, object], what: str
) -> int:
    with connection.transaction():
        rows = connection.execute(_ERASE.format(condition=condition), values).fetchall()
        touched = [row["tenant_id"] for row in rows]
        for tenant in sorted(set(touched), key=str):
            told = {"records": touched.count(tenant), "by": what}
            connection.execute(*audit.statement(AuditEvent.AUDIT_ERASED, tenant, details=told))
    return len(touched)
