from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.audit_events import AuditEvent
from accounts.keys import Authority
from accounts.models import ApiKey, AuditRecord, Tenant
from accounts.roles import Role
from tests.api.sending import code_of, send
from tests.factories import ApiKeyFactory, MembershipFactory
from tests.harness.api_client import text_of

pytestmark = pytest.mark.django_db


def rotate(client: Client, key: ApiKey, body: Any = None, **headers: str) -> Any:
    return send(client, f"/v1/api-keys/{key.pk}/rotate", {} if body is None else body, **headers)


@pytest.fixture
def key(tenant: Tenant) -> ApiKey:
    return ApiKeyFactory.create(
        tenant=tenant,
        scopes=["jobs:read"],
        allowed_ips=["127.0.0.0/8"],
        rate_limit_per_minute=7,
        quota={"max_jobs_per_day": 5},
    )


def test_it_works(client: Client, key: ApiKey) -> None:
    answer = rotate(client, key, {"overlap_seconds": 60})
    told = answer.json()
    assert answer.status_code == 201, told
    assert told["replaces"] == key.pk
    successor = keys.find(told["key"], "127.0.0.1")
    assert successor is not None
    for name in ("name", "role", "narrowed_to", "allowed_ips", "rate_limit_per_minute", "quota"):
        assert getattr(successor, name) == getattr(key, name)
    assert keys.find(text_of(key), "127.0.0.1")
    key.refresh_from_db()
    assert key.expires_at is not None
    assert timedelta(seconds=50) < key.expires_at - timezone.now() <= timedelta(seconds=60)
    [record] = AuditRecord.objects.filter(event_type=AuditEvent.API_KEY_ROTATED)
    assert record.resource_id == key.pk
    assert record.details == {"successor": successor.pk, "overlap_seconds": 60}
    assert not AuditRecord.objects.filter(event_type=AuditEvent.API_KEY_CREATED).exists()


def test_without_an_overlap_the_old_one_ends_at_once(client: Client, key: ApiKey) -> None:
    rotate(client, key, {"overlap_seconds": 0})
    assert keys.find(text_of(key), "127.0.0.1") is None


def test_an_earlier_end_stays(client: Client, tenant: Tenant) -> None:
    soon = timezone.now() + timedelta(seconds=5)
    key = ApiKeyFactory.create(tenant=tenant, expires_at=soon)
    rotate(client, key, {"overlap_seconds": 3600})
    key.refresh_from_db()
    assert key.expires_at == soon


def test_the_successor_lives_as_long_as_the_key_was_to(client: Client, tenant: Tenant) -> None:
    key = ApiKeyFactory.create(tenant=tenant, expires_at=timezone.now() + timedelta(days=30))
    ApiKey.objects.filter(pk=key.pk).update(created_at=timezone.now() - timedelta(days=30))
    successor = ApiKey.objects.get(pk=rotate(client, key).json()["id"])
    assert successor.expires_at is not None
    left = successor.expires_at - timezone.now()
    assert timedelta(days=59, hours=23) < left < timedelta(days=60, hours=1)


def test_no_successor_lives_for_longer_than_a_key_may(client: Client, tenant: Tenant) -> None:
    key = ApiKeyFactory.create(tenant=tenant, expires_at=datetime(9999, 12, 31, tzinfo=UTC))
    successor = ApiKey.objects.get(pk=rotate(client, key).json()["id"])
    assert successor.expires_at is not None
    assert successor.expires_at < timezone.now() + timedelta(days=3653)


def test_a_key_is_rotated_once(client: Client, key: ApiKey) -> None:
    rotate(client, key)
    assert code_of(rotate(client, key), 409) == "key_rotated"
    assert ApiKey.objects.filter(replaces=key).count() == 1


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_a_key_that_ended_has_no_successor(client: Client, tenant: Tenant, column: str) -> None:
    key = ApiKeyFactory.create(tenant=tenant)
    ApiKey.objects.filter(pk=key.pk).update(**{column: timezone.now()})
    assert code_of(rotate(client, key), 409) == "key_not_usable"


@pytest.mark.parametrize("is_made_by_a_colleague", [True, False])
def test_a_successor_ends_with_the_person_who_got_to_know_it(
    tenant: Tenant,
    is_made_by_a_colleague: bool,  # noqa: FBT001 -- the console made it otherwise
) -> None:
    member = MembershipFactory.create(tenant=tenant, role=Role.ADMIN)
    behind: dict[str, Any] = {}
    if is_made_by_a_colleague:
        colleague = MembershipFactory.create(tenant=tenant, role=Role.ADMIN)
        behind = {"created_by": colleague.user, "follows_creator": True}
    key = ApiKeyFactory.create(tenant=tenant, **behind)
    _, text = keys.rotate(key, 60, Authority(frozenset("*"), member.user))
    assert keys.find(text, "127.0.0.1")
    member.delete()
    cache.clear()
    assert keys.find(text, "127.0.0.1") is None
    assert keys.find(text_of(key), "127.0.0.1")


def test_a_successor_ends_with_the_person_behind_the_key_that_made_it(tenant: Tenant) -> None:
    member = MembershipFactory.create(tenant=tenant, role=Role.ADMIN)
    own = ApiKeyFactory.create(
        tenant=tenant, role=Role.ADMIN, created_by=member.user, follows_creator=True
    )
    successor, _ = keys.rotate(ApiKeyFactory.create(tenant=tenant), 60, Authority.of_key(own))
    assert (successor.created_by, successor.made_by) == (member.user, own)
    assert successor.follows_creator


@pytest.mark.django_db(transaction=True)
def test_it_does_not_wait_for_who_refers_to_the_key(key: ApiKey, client: Client) -> None:
    """A submission holds the key so, and may wait for the tenant that a rotation holds."""

    def rotated() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        try:
            return int(rotate(client, key).status_code)
        finally:
            connection.close()

    with transaction.atomic(), connection.cursor() as cursor, ThreadPoolExecutor(1) as threads:
        cursor.execute("SELECT FROM accounts_apikey WHERE id = %s FOR KEY SHARE", [key.pk])
        assert threads.submit(rotated).result() == 201


@pytest.mark.parametrize("overlap", [-1, 30 * 86400 + 1, "60", 1.5, None, True])
def test_an_overlap_is_bounded(client: Client, key: ApiKey, overlap: Any) -> None:
    refused = rotate(client, key, {"overlap_seconds": overlap})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/overlap_seconds"
    cache.clear()
    assert keys.find(text_of(key), "127.0.0.1")
