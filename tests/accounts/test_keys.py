from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey
from accounts.roles import Role
from tests.factories import ApiKeyFactory, TenantFactory
from tests.storage.client import text_of

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
    forged = unchecked + keys._checksum(unchecked)
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


def test_use_is_noted_to_the_minute() -> None:
    key = ApiKeyFactory.create()
    keys.find(text_of(key))
    key.refresh_from_db()
    first = key.last_used_at
    assert first is not None
    cache.clear()
    keys.find(text_of(key))
    key.refresh_from_db()
    assert key.last_used_at == first


def test_a_revoked_key_is_refused_within_seconds() -> None:
    """A process that has just taken it takes it for good for a moment, not for longer."""
    key = ApiKeyFactory.create()
    assert keys.find(text_of(key)) == key
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    deadline = time.monotonic() + 5
    while keys.find(text_of(key)) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_scopes_narrow_a_role() -> None:
    key, _ = keys.issue(
        TenantFactory.create(), name="x", role=Role.VIEWER, scopes=["jobs:read", "jobs:create"]
    )
    assert key.scopes == {"jobs:read"}
