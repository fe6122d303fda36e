"""Keys over the API."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.audit_events import AuditEvent
from accounts.keys import Authority
from accounts.models import ApiKey, AuditRecord, Tenant
from accounts.quotas import limits
from accounts.roles import Role
from ffapi_site.lib.ids import new_id
from tests.api.sending import code_of, send
from tests.factories import ApiKeyFactory
from tests.harness.api_client import client_of

pytestmark = pytest.mark.django_db

PATH = "/v1/api-keys"
WANTED: dict[str, Any] = {"name": "ci", "role": "developer"}


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def made(client: Client, **wanted: Any) -> Any:
    answer = send(client, PATH, WANTED | wanted)
    assert answer.status_code == 201, answer.content
    return answer.json()


def events() -> list[str]:
    """What was recorded, but for denials."""
    kinds = AuditRecord.objects.filter(resource_type="api_key").order_by("id")
    return list(kinds.values_list("event_type", flat=True))


def test_it_works(client: Client, tenant: Tenant) -> None:
    answer = send(
        client,
        PATH,
        WANTED
        | {
            "scopes": ["jobs:read", "files:read"],
            "expires_at": "2036-01-01T00:00:00+01:00",
            "allowed_ips": ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"],
            "rate_limit_per_minute": 7,
        },
    )
    told = answer.json()
    assert answer.status_code == 201, told
    assert answer["Location"] == f"{PATH}/{told['id']}"
    key = keys.find(told["key"], "10.1.2.3")
    assert key is not None
    assert (key.pk, key.tenant, key.role) == (told["id"], tenant, "developer")
    assert key.scopes == {"jobs:read", "files:read"}
    assert key.expires_at == datetime(2035, 12, 31, 23, tzinfo=UTC)
    assert key.allowed_ips == ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1/32"]
    assert events() == [AuditEvent.API_KEY_CREATED, AuditEvent.API_KEY_USED_FROM_NEW_ADDRESS]
    used = Client(headers={"X-API-Key": told["key"]}).get("/v1/jobs")
    assert used["RateLimit-Policy"] == '"default";q=7;w=60'


def test_the_secret_is_told_once(client: Client) -> None:
    told = made(client)
    one = client.get(f"{PATH}/{told['id']}")
    everything = client.get(PATH).content + one.content
    assert told["key"].encode() not in everything
    assert told["key"][33:76].encode() not in everything
    assert b"digest" not in everything
    assert set(told) - set(one.json()) == {"key"}
    assert told["key"][33:76] not in repr(list(AuditRecord.objects.values()))


def test_a_list_has_the_newest_first(client: Client) -> None:
    ids = [made(client, name=f"key {number}")["id"] for number in range(3)]
    listed = client.get(PATH, {"limit": 2}).json()
    assert [each["id"] for each in listed["results"]] == ids[:0:-1]
    following = client.get(listed["next"]).json()["results"]
    assert following[0]["id"] == ids[0]


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        ({}, ["never_expires"]),
        ({"expires_at": in_days(91)}, ["long_lived"]),
        ({"expires_at": in_days(30)}, []),
    ],
)
def test_a_long_life_is_warned_of(client: Client, wanted: Any, codes: list[str]) -> None:
    assert [each["code"] for each in made(client, **wanted)["warnings"]] == codes


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "/name"),
    ({"name": "a\nb"}, "/name"),
    ({"name": "x" * 101}, "/name"),
    ({"name": 5}, "/name"),
    ({"role": "emperor"}, "/role"),
    ({"scopes": []}, "/scopes"),
    ({"scopes": ["jobs:guess"]}, "/scopes/0"),
    ({"role": "viewer", "scopes": ["jobs:create"]}, "/scopes"),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
    ({"expires_at": "2036-01-01T00:00:00"}, "/expires_at"),
    ({"expires_at": 99999999999}, "/expires_at"),
    ({"expires_at": "2199-01-01T00:00:00Z"}, "/expires_at"),
    ({"expires_at": "9999-12-31T23:59:59-12:00"}, "/expires_at"),  # ten thousand, in UTC
    ({"expires_at": "0001-01-01T00:00:00+12:00"}, "/expires_at"),
    ({"allowed_ips": ["10.0.0.1/8"]}, "/allowed_ips/0"),
    ({"allowed_ips": ["example.org"]}, "/allowed_ips/0"),
    ({"allowed_ips": ["fe80::%" + "a" * 60 + "/64"]}, "/allowed_ips/0"),
    ({"allowed_ips": "10.0.0.0/8"}, "/allowed_ips"),
    ({"allowed_ips": ["10.0.0.1"] * 101}, "/allowed_ips"),
    ({"rate_limit_per_minute": 0}, "/rate_limit_per_minute"),
    ({"rate_limit_per_minute": "5"}, "/rate_limit_per_minute"),
    ({"rate_limit_per_minute": 10**9}, "/rate_limit_per_minute"),
    ({"secret_digest": "0" * 64}, "/secret_digest"),
    ({"tenant": "t"}, "/tenant"),
    ({"follows_creator": False}, "/follows_creator"),
]


@pytest.mark.parametrize(("wanted", "pointer"), WRONG, ids=str)
def test_what_is_wrong_is_named(client: Client, wanted: Any, pointer: str) -> None:
    refused = send(client, PATH, WANTED | wanted)
    assert code_of(refused, 422)
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]
    assert events() == []


def test_a_name_that_is_refused_is_told_why(client: Client) -> None:
    [error] = send(client, PATH, WANTED | {"name": "a\nb"}).json()["errors"]
    assert error["detail"] == "a text is needed, without line breaks and others that can't be seen"


def test_a_key_is_changed(client: Client) -> None:
    told = made(client)
    changes = {"name": "nightly", "allowed_ips": ["192.0.2.0/24"], "rate_limit_per_minute": 9}
    changed = client.patch(f"{PATH}/{told['id']}", changes, "application/json")
    assert changed.status_code == 200
    assert changed.json().items() >= changes.items()
    assert events() == [AuditEvent.API_KEY_CREATED, AuditEvent.API_KEY_CHANGED]
    record = AuditRecord.objects.get(event_type=AuditEvent.API_KEY_CHANGED)
    assert record.details["changed"] == ["allowed_ips", "name", "rate_limit_per_minute"]
    assert "nightly" not in repr(record.details)


def test_addresses_are_told_where_they_can_be_erased(client: Client) -> None:
    told = made(client, allowed_ips=["10.0.0.0/8", "127.0.0.1"])
    path = f"{PATH}/{told['id']}"
    for allowed in (["192.0.2.7"], []):
        client.patch(path, {"allowed_ips": allowed}, "application/json")
    records = AuditRecord.objects.filter(resource_id=told["id"]).order_by("id")
    personal = [(each.personal or {}).get("allowed_ips", "") for each in records]
    assert personal == ["10.0.0.0/8, 127.0.0.1/32", "192.0.2.7/32", ""]
    assert [each.details["is_held_to_addresses"] for each in records] == [True, True, False]
    assert not re.search(r"\d+\.\d+", str([each.details for each in records]))


def test_another_name_leaves_the_quota_as_it_is(tenant: Tenant) -> None:
    """Also where it was narrowed after this request had read it."""
    key = ApiKeyFactory.create(tenant=tenant, quota={"max_jobs_per_day": 9})
    limits.set_for_key(ApiKey.objects.get(pk=key.pk), {"max_jobs_per_day": 1})
    keys.change(key, {"name": "nightly"}, Authority(frozenset("*")))
    key.refresh_from_db()
    assert (key.name, key.quota) == ("nightly", {"max_jobs_per_day": 1})


@pytest.mark.parametrize("name", ["role", "scopes", "expires_at", "revoked_at", "id", "key"])
def test_the_rest_of_a_key_stays(client: Client, name: str) -> None:
    told = made(client)
    refused = client.patch(f"{PATH}/{told['id']}", {name: "admin"}, "application/json")
    assert refused.json()["errors"][0]["pointer"] == f"/{name}"


def test_a_key_is_revoked_once(client: Client) -> None:
    told = made(client)
    for _ in range(2):
        revoked = send(client, f"{PATH}/{told['id']}/revoke", {})
        assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    assert events() == [AuditEvent.API_KEY_CREATED, AuditEvent.API_KEY_REVOKED]
    assert keys.find(told["key"]) is None


@pytest.mark.parametrize("way", ["", "/rotate", "/revoke"])
def test_another_tenants_key_is_absent(client: Client, way: str) -> None:
    foreign = ApiKeyFactory.create()
    for key_id in (foreign.pk, new_id("key"), "key_x"):
        method = "POST" if way else "GET"
        answer = client.generic(method, f"{PATH}/{key_id}{way}", b"{}", "application/json")
        assert code_of(answer, 404) == "not_found"
    assert ApiKey.objects.get(pk=foreign.pk).is_usable


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMIN])
def test_keys_are_for_who_may_manage_them(tenant: Tenant, role: str) -> None:
    refused = send(client_of(tenant, role), PATH, WANTED)
    assert code_of(refused, 403) == "forbidden"
    assert refused.json()["required_scope"] == "keys:manage"


def test_a_webhook_key_submits_and_no_more(client: Client) -> None:
    text = made(client, role="webhook_only")["key"]
    hook = Client(headers={"X-API-Key": text})
    assert send(hook, "/v1/transcode", {}).status_code == 422
    assert code_of(hook.get("/v1/jobs"), 403) == "forbidden"
    assert code_of(hook.get("/v1/files"), 403) == "forbidden"
