"""A request for a key, sent twice: the same key again, and its text in clear nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from psycopg import sql

from accounts import keys
from accounts.models import ApiKey, IdempotentRequest, Tenant
from accounts.roles import Role
from tests.api.sending import code_of, send
from tests.factories import ApiKeyFactory
from tests.harness.api_client import client_of, text_of

pytestmark = pytest.mark.django_db

WANTED = {"name": "ci", "role": "admin"}


def make(client: Client, path: str = "/v1/api-keys", body: Any = None) -> Any:
    return send(client, path, WANTED if body is None else body, Idempotency_Key="once")


def test_it_works(client: Client) -> None:
    first, again = make(client), make(client)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    assert ApiKey.objects.filter(name="ci").count() == 1


def test_the_text_is_nowhere_in_clear(client: Client) -> None:
    text = make(client).json()["key"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema='public'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
            assert text[33:76] not in repr(cursor.fetchall()), table
    assert len(tables) > 20


def test_another_key_of_the_tenant_is_not_told(client: Client, tenant: Tenant) -> None:
    make(client)
    other = client_of(tenant, Role.ADMIN, scopes=["keys:manage"])
    assert code_of(make(other), 422) == "idempotency_key_reused"


def test_who_takes_over_from_a_crashed_request_gets_the_key_that_it_made(
    client: Client, tenant: Tenant
) -> None:
    lost = make(client).json()
    IdempotentRequest.objects.update(status=None, claimed_at="2020-01-01T00:00:00Z")
    told = make(client).json()
    assert told["id"] == lost["id"]
    assert keys.find(lost["key"]) is None
    assert keys.find(told["key"]) == ApiKey.objects.get(pk=lost["id"])


def test_a_rotation_is_repeated_too(client: Client, tenant: Tenant) -> None:
    key = ApiKeyFactory.create(tenant=tenant)
    path = f"/v1/api-keys/{key.pk}/rotate"
    first = make(client, path, {})
    assert make(client, path, {}).content == first.content
    IdempotentRequest.objects.update(status=None, claimed_at="2020-01-01T00:00:00Z")
    assert make(client, path, {}).json()["id"] == first.json()["id"]
    assert keys.find(text_of(key))


def test_answers_of_earlier_days_are_repeated(client: Client) -> None:
    make(client)
    IdempotentRequest.objects.update(answer="", body=b'{"as": "it was"}')
    assert make(client).json() == {"as": "it was"}
