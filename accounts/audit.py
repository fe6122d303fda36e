"""Write down what happened, in the transaction that it happened in: both are kept, or neither."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from typing import Any

from django.db import connection

from accounts import actor
from accounts.audit_events import AuditEvent, Outcome
from accounts.models.audit import DETAILS_BYTES
from ffapi_site.lib.ids import new_id
from ffapi_site.lib.shorten import shorten

# By hand: it is part of every change, and the model's own way costs twice the time.
_INSERT = """
INSERT INTO accounts_auditrecord (id, tenant_id, event_type, outcome, actor_type, actor_id,
  resource_type, resource_id, request_id, details, personal, salt)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SALT_BYTES = 16
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # those of ids, in their order
_FREE = 13  # the last characters of an id, which stay random


class _Ids:
    """Ids that sort as they were made, within a millisecond too: a transaction's are sealed so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = ""

    def next(self) -> str:
        with self._lock:
            made = new_id("audit")
            if made <= self._last:
                made = _after(self._last[:-_FREE]) + made[-_FREE:]
            self._last = made
            return made


def _after(text: str) -> str:
    """Count on by one, in the digits of ids."""
    rest, digit = text[:-1], text[-1]
    if digit == _DIGITS[-1]:
        return _after(rest) + _DIGITS[0]
    return rest + _DIGITS[_DIGITS.index(digit) + 1]


_ids = _Ids()
Statement = tuple[str, tuple[Any, ...]]


def record(  # noqa: PLR0913 -- a record has this many facts
    event: AuditEvent,
    tenant_id: str | None,
    resource_id: str = "",
    *,
    outcome: Outcome = Outcome.SUCCESS,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
) -> str:
    """Append one record and give its id. Without a tenant it is the installation's own.

    ``details`` are what changed; never a secret, and no personal data: that is in ``personal``,
    which can be erased, and to which the actor's name and address are added here.
    """
    told, values = statement(
        event, tenant_id, resource_id, outcome=outcome, details=details, personal=personal
    )
    with connection.cursor() as cursor:
        cursor.execute(told, values)
    return str(values[0])


def statement(  # noqa: PLR0913 -- as above
    event: AuditEvent,
    tenant_id: str | None,
    resource_id: str = "",
    *,
    outcome: Outcome = Outcome.SUCCESS,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
) -> Statement:
    """What ``record`` executes, for a connection that is not Django's."""
    who = actor.current()
    known = {"name": who.name, "ip_address": who.ip_address, "user_agent": who.user_agent}
    told = {key: value for key, value in (known | dict(personal or {})).items() if value}
    why = {"reason": who.reason} if who.reason else {}
    values = (
        *(_ids.next(), tenant_id, event, outcome, who.kind, who.id),
        *(event.resource_type, resource_id, who.request_id),
        *(_text({**(details or {}), **why}), _text(told), os.urandom(_SALT_BYTES)),
    )
    return _INSERT, values


def _text(told: dict[str, Any]) -> str:
    """A statement of our own does not pass the bound of the column, so it is made to fit here."""
    return json.dumps(shorten(told, DETAILS_BYTES))
