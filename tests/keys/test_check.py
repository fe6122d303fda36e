from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import keys
from accounts.keys import Reason, Refusal
from accounts.keys.secret_format import checksum
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.roles import Role
from tests.factories import ApiKeyFactory, MembershipFactory, TenantFactory
from tests.harness.api_client import text_of

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    key, text = keys.issue(TenantFactory.create(), name="ci", role=Role.DEVELOPER)
    assert keys.find(text) == key
    assert len(text) == len("ffapi_") + 26 + 1 + 43 + 6
    assert text.startswith(f"ffapi_{key.id.removeprefix('key_')}_")


def test_the_secret_is_not_kept() -> None:
    text = text_of(ApiKeyFactory.create())
    kept = repr(ApiKey.objects.values().get())
    assert text[33:76] not in kept


@pytest.mark.parametrize("place", [10, 40, 60, 80])
def test_a_changed_character_is_no_key(place: int) -> None:
    text = text_of(ApiKeyFactory.create())
    other = "a" if text[place] != "a" else "b"
    assert keys.find(text[:place] + other + text[place + 1 :]) is None


def test_another_secret_under_a_known_id_is_no_key() -> None:
    known, other = text_of(ApiKeyFactory.create()), text_of(ApiKeyFactory.create())
    unchecked = known[:33] + other[33:-6]
    forged = unchecked + checksum(unchecked)
    assert keys.find(forged) is None


@pytest.mark.parametrize("text", ["", "ffapi_", "ffapi_\x00", "x" * 100_000, "ffapi_ü_" + "a" * 49])
def test_what_has_not_the_form_is_no_key(text: str) -> None:
    assert keys.find(text) is None


def test_an_expired_key_is_no_key() -> None:
    past = timezone.now() - timedelta(seconds=1)
    assert keys.find(text_of(ApiKeyFactory.create(expires_at=past))) is None


def test_a_revoked_key_is_no_key() -> None:
    key = ApiKeyFactory.create(revoked_at=timezone.now())
    assert keys.find(text_of(key)) is None


def test_a_key_of_an_inactive_tenant_is_no_key() -> None:
    key = ApiKeyFactory.create(tenant=TenantFactory.create(is_active=False))
    assert keys.find(text_of(key)) is None


LEFT: dict[str, Callable[[ApiKey], Any]] = {
    "revoked": lambda key: _set(key, revoked_at=timezone.now()),
    "expired": lambda key: _set(key, expires_at=timezone.now() + timedelta(seconds=1)),
    "moved": lambda key: _set(key, allowed_ips=["192.0.2.0/24"]),
    "suspended": lambda key: Tenant.objects.filter(pk=key.tenant_id).update(is_active=False),
    "of one who left": lambda key: Membership.objects.filter(tenant=key.tenant).delete(),
    "of one who was deactivated": lambda key: User.objects.filter(
        memberships__tenant=key.tenant
    ).update(is_active=False),
}


def _set(key: ApiKey, **columns: Any) -> None:
    ApiKey.objects.filter(pk=key.pk).update(**columns)


def test_what_ends_a_key_does_so_within_seconds() -> None:
    """A process that has just taken it takes it for good for a moment, not for longer."""
    texts = {}
    for how, end in LEFT.items():
        creator = MembershipFactory.create(role=Role.ADMIN)
        key = ApiKeyFactory.create(
            tenant=creator.tenant, created_by=creator.user, follows_creator=True
        )
        texts[how] = text_of(key)
        assert keys.find(texts[how], "127.0.0.1") == key
        end(key)
    deadline = time.monotonic() + 5
    while taken := [how for how, text in texts.items() if keys.find(text, "127.0.0.1")]:
        assert time.monotonic() < deadline, taken
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("allowed", "address", "is_allowed"),
    [
        ([], "", True),
        (["192.0.2.0/24"], "192.0.2.9", True),
        (["192.0.2.0/24"], "192.0.3.9", False),
        (["192.0.2.0/24"], "2001:db8::1", False),
        (["192.0.2.0/24"], "", False),
        (["198.51.100.7/32", "2001:db8::/32"], "2001:db8:1::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["0.0.0.0/0"], "203.0.113.1", True),
    ],
)
def test_it_is_good_from_its_addresses(
    *, allowed: list[str], address: str, is_allowed: bool
) -> None:
    text = text_of(ApiKeyFactory.create(allowed_ips=allowed))
    assert (keys.find(text, address) is not None) == is_allowed
    assert (keys.find(text, address) is not None) == is_allowed  # from the process's memory


def test_another_address_is_no_good_while_the_first_is_trusted() -> None:
    text = text_of(ApiKeyFactory.create(allowed_ips=["192.0.2.1"]))
    assert keys.find(text, "192.0.2.1")
    assert keys.find(text, "192.0.2.2") is None


def test_the_log_can_tell_what_is_wrong(tenant: Tenant) -> None:
    past = timezone.now() - timedelta(seconds=1)
    good, other = text_of(ApiKeyFactory.create(tenant=tenant)), text_of(ApiKeyFactory.create())
    unchecked = good[:33] + other[33:-6]
    gone = text_of(ApiKeyFactory.create(tenant=tenant))
    ApiKey.objects.filter(pk=f"key_{gone[6:32]}").delete()
    found: dict[str, Reason] = {
        "": Reason.UNKNOWN,
        gone: Reason.UNKNOWN,
        unchecked + checksum(unchecked): Reason.FORGED,
        text_of(ApiKeyFactory.create(expires_at=past)): Reason.EXPIRED,
        text_of(ApiKeyFactory.create(revoked_at=past)): Reason.REVOKED,
        text_of(ApiKeyFactory.create(allowed_ips=["::1"])): Reason.ADDRESS,
        text_of(ApiKeyFactory.create(follows_creator=True)): Reason.CREATOR_LEFT,
        text_of(
            ApiKeyFactory.create(tenant=TenantFactory.create(is_active=False))
        ): Reason.TENANT_SUSPENDED,
    }
    for text, reason in found.items():
        refusal = keys.check(text, "127.0.0.1")
        assert isinstance(refusal, Refusal)
        assert refusal.reason == reason


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.ADMIN, {"jobs:read", "keys:manage"}),
        (Role.VIEWER, {"jobs:read"}),
        (Role.WEBHOOK_ONLY, set()),
    ],
)
def test_it_holds_no_more_than_its_creator_does_now(role: str, scopes: set[str]) -> None:
    creator = MembershipFactory.create(role=role)
    key = ApiKeyFactory.create(
        tenant=creator.tenant,
        role=Role.ADMIN,
        scopes=["jobs:read", "keys:manage"],
        created_by=creator.user,
        follows_creator=True,
    )
    found = keys.find(text_of(key))
    assert found is not None
    assert found.scopes == ApiKey.objects.get(pk=key.pk).scopes == scopes


def test_scopes_narrow_a_role() -> None:
    key, _ = keys.issue(
        TenantFactory.create(), name="x", role=Role.VIEWER, scopes=["jobs:read", "jobs:create"]
    )
    assert key.scopes == {"jobs:read"}
