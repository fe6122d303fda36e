"""The page of the keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts import keys
from accounts.audit_events import AuditEvent
from accounts.models import ApiKey, AuditRecord, Membership
from accounts.roles import Role
from tests.factories import ApiKeyFactory, MembershipFactory
from tests.harness.cast import signed_in

pytestmark = pytest.mark.django_db

FORM = {"name": "nightly", "role": "developer", "lifetime": "30"}


@pytest.fixture
def member() -> Membership:
    return MembershipFactory.create(role=Role.ADMIN)


@pytest.fixture
def browser(member: Membership) -> Client:
    return signed_in(member.user)


def text_in(page: Any) -> str:
    found = re.search(r'value="(ffapi_[^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def events() -> list[str]:
    kinds = AuditRecord.objects.filter(resource_type="api_key").order_by("id")
    return list(kinds.values_list("event_type", flat=True))


def test_it_works(browser: Client, member: Membership) -> None:
    more = {"scopes": ["jobs:read"], "allowed_ips": "10.0.0.0/8, ::1", "rate_limit_per_minute": "9"}
    page = browser.post("/keys", FORM | more)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    key = keys.find(text_in(page), "10.0.0.1")
    assert key is not None
    assert (key.tenant_id, key.created_by_id) == (member.tenant_id, member.user.pk)
    assert (key.name, key.role, set(key.scopes)) == ("nightly", "developer", {"jobs:read"})
    assert key.allowed_ips == ["10.0.0.0/8", "::1/128"]
    assert key.rate_limit_per_minute == 9
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in {29, 30}
    assert events()[0] == AuditEvent.API_KEY_CREATED
    assert len(events()) == 2  # and its use from a new address, just now


def test_the_text_is_shown_once(browser: Client) -> None:
    text = text_in(browser.post("/keys", FORM))
    shown = browser.get("/keys").content.decode()
    assert "nightly" in shown
    assert text not in shown


def test_it_ends_with_the_membership(browser: Client, member: Membership) -> None:
    text = text_in(browser.post("/keys", FORM))
    Membership.objects.filter(pk=member.pk).delete()
    assert keys.find(text) is None


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"name": ""}, "name"),
        ({"role": "emperor"}, "role"),
        ({"role": "viewer", "scopes": ["jobs:create"]}, "scopes"),
        ({"lifetime": "999999999"}, "expires_at"),
        ({"lifetime": "8"}, "expires_at"),
        ({"allowed_ips": "somewhere"}, "allowed_ips"),
        ({"rate_limit_per_minute": "many"}, "rate_limit_per_minute"),
    ],
)
def test_what_is_wrong_is_named(browser: Client, wrong: dict[str, Any], name: str) -> None:
    page = browser.post("/keys", FORM | wrong)
    assert page.status_code == 422
    assert f'href="#key-{name}"' in page.content.decode()
    assert not ApiKey.objects.exists()
    assert events() == []


def test_a_key_is_rotated(browser: Client, member: Membership) -> None:
    key = ApiKeyFactory.create(tenant=member.tenant)
    page = browser.post(f"/keys/{key.pk}/rotate", {"overlap_seconds": "3600"})
    successor = keys.find(text_in(page), "127.0.0.1")
    assert successor is not None
    assert successor.replaces_id == key.pk
    assert events() == [AuditEvent.API_KEY_ROTATED, AuditEvent.API_KEY_USED_FROM_NEW_ADDRESS]


def test_a_key_is_revoked(browser: Client, member: Membership) -> None:
    key = ApiKeyFactory.create(tenant=member.tenant)
    assert browser.post(f"/keys/{key.pk}/revoke")["Location"] == "/keys"
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert events() == [AuditEvent.API_KEY_REVOKED]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.DEVELOPER, Role.VIEWER])
def test_it_is_for_who_may_manage_keys(role: Role) -> None:
    member = MembershipFactory.create(role=role)
    key = ApiKeyFactory.create(tenant=member.tenant)
    browser = signed_in(member.user)
    assert browser.get("/keys").status_code == 403
    for path in ("/keys", f"/keys/{key.pk}/rotate", f"/keys/{key.pk}/revoke"):
        assert browser.post(path, FORM).status_code == 403
    assert 'href="/keys"' not in browser.get("/jobs").content.decode()


@pytest.mark.parametrize("way", ["rotate", "revoke"])
def test_anothers_key_is_absent(browser: Client, way: str) -> None:
    key = ApiKeyFactory.create()
    assert browser.post(f"/keys/{key.pk}/{way}").status_code == 404
    assert key.name not in browser.get("/keys").content.decode()
    assert ApiKey.objects.get(pk=key.pk).is_usable


def test_nothing_in_it_is_written_in_a_script(browser: Client, member: Membership) -> None:
    ApiKeyFactory.create(tenant=member.tenant, name="<script>alert(1)</script>")
    shown = browser.post("/keys", FORM).content.decode()
    assert "<script>alert" not in shown
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", shown)
    assert shown.count("<h1") == 1


def test_there_may_be_many(browser: Client, member: Membership) -> None:
    made = ApiKeyFactory.create_batch(26, tenant=member.tenant)
    newest = browser.get("/keys")
    assert made[-1].pk in newest.content.decode()
    assert made[0].pk not in newest.content.decode()
    older = browser.get(f"/keys?{newest.context['page'].older}")
    assert made[0].pk in older.content.decode()
    assert made[-1].pk not in older.content.decode()
