"""When and from where a key was used."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts import keys
from accounts.audit_events import AuditEvent
from accounts.keys.last_used import REMEMBERED
from accounts.models import ApiKey, AuditRecord
from tests.factories import ApiKeyFactory
from tests.harness.api_client import text_of

pytestmark = pytest.mark.django_db


def used(key: ApiKey, address: str) -> ApiKey:
    """Use a key as another process would, which has not seen it yet."""
    cache.clear()
    assert keys.find(text_of(key), address) is not None
    key.refresh_from_db()
    return key


def told() -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(event_type=AuditEvent.API_KEY_USED_FROM_NEW_ADDRESS))


def test_it_works() -> None:
    key = used(ApiKeyFactory.create(known_addresses=[]), "192.0.2.1")
    assert key.last_used_at is not None
    assert (key.last_used_address, key.known_addresses) == ("192.0.2.1", ["192.0.2.1"])
    [record] = told()
    assert (record.tenant_id, record.resource_id) == (key.tenant_id, key.pk)
    assert (record.actor_type, record.actor_id) == ("api_key", key.pk)
    assert record.details == {"is_first_use": True}


def test_use_is_noted_to_the_minute() -> None:
    key = ApiKeyFactory.create()
    first = used(key, "127.0.0.1").last_used_at
    assert used(key, "127.0.0.1").last_used_at == first
    earlier = timezone.now() - timedelta(seconds=61)
    ApiKey.objects.update(last_used_at=earlier)
    later = used(key, "127.0.0.1").last_used_at
    assert later is not None
    assert later > earlier


def test_an_address_is_new_once() -> None:
    key = ApiKeyFactory.create()
    for address in ("127.0.0.1", "192.0.2.1", "127.0.0.1", "192.0.2.1"):
        used(key, address)
    assert [record.details for record in told()] == [{"is_first_use": False}]


def test_it_is_told_while_the_key_is_trusted_too() -> None:
    text = text_of(ApiKeyFactory.create())
    for address in ("127.0.0.1", "192.0.2.1"):
        assert keys.find(text, address)
    assert len(told()) == 1


def test_a_subscriber_is_one_address() -> None:
    key = ApiKeyFactory.create()
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"):
        used(key, address)
    assert len(told()) == 2
    assert key.known_addresses == ["2001:db8:0:1::", "2001:db8::", "127.0.0.1"]


def test_the_memory_is_bounded() -> None:
    key = ApiKeyFactory.create()
    for number in range(REMEMBERED + 3):
        used(key, f"192.0.2.{number}")
    assert key.known_addresses == [f"192.0.2.{n}" for n in range(REMEMBERED + 2, 2, -1)]


def test_two_processes_tell_of_it_once() -> None:
    key = ApiKeyFactory.create()
    seen_by_another = ApiKey.objects.get(pk=key.pk)
    used(key, "192.0.2.1")
    keys.last_used.note(seen_by_another, "192.0.2.1")
    assert len(told()) == 1
