"""When and from where a key was used: to the minute, and as far as a bounded memory reaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import CharField, F, Func, Value
from django.db.models.functions import Now
from django.utils import timezone

from accounts import actor, audit
from accounts.audit_events import AuditEvent
from accounts.models import ApiKey
from accounts.quotas import limits
from ffapi_site.lib.client_address import block_of

_NOTED_EVERY = timedelta(seconds=60)
REMEMBERED = 32  # addresses a key: one that moves through more is told of again


class _NewestFirst(Func):
    function = "array_prepend"
    template = f"(%(function)s(%(expressions)s))[1:{REMEMBERED}]"
    output_field = ArrayField(CharField(max_length=45))


def is_known_from(key: ApiKey, address: str) -> bool:
    return not address or block_of(address) in key.known_addresses


def note(key: ApiKey, address: str) -> None:
    """Note a use of ``key``; one from a new address is an event of its own."""
    rows = ApiKey.objects.filter(pk=key.pk)
    last_use: dict[str, Any] = {"last_used_at": Now(), "last_used_address": address}
    if is_known_from(key, address):
        if key.last_used_at is None or key.last_used_at < timezone.now() - _NOTED_EVERY:
            rows.update(**last_use)
        return
    block = block_of(address)
    addresses = _NewestFirst(Value(block), F("known_addresses"))
    # Of the processes that see the address at the same time one remembers it, and tells.
    first = rows.exclude(known_addresses__contains=[block])
    with transaction.atomic():
        limits.refer_to(key.tenant_id)
        if first.update(known_addresses=addresses, **last_use):
            user = replace(actor.current(), kind=actor.Kind.API_KEY, id=key.pk, name=key.name)
            event = AuditEvent.API_KEY_USED_FROM_NEW_ADDRESS
            details = {"is_first_use": key.last_used_at is None}
            with actor.acting(user):
                audit.record(event, key.tenant_id, key.pk, details=details)
    key.known_addresses = [block, *key.known_addresses][:REMEMBERED]
