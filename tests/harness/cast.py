"""The people of most tests: Alice works for a tenant, Bob only looks, Charlie is a stranger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant, User
from accounts.roles import Role
from tests.factories import MembershipFactory, TenantFactory, UserFactory
from tests.harness.signing_in import sign_in


@pytest.fixture
def own_media(tmp_path: Path, settings: Settings) -> Path:
    """Where the files of this test alone are kept."""
    place = tmp_path / "media"
    media = settings.STORAGES["media"] | {"OPTIONS": {"location": str(place)}}
    settings.STORAGES = settings.STORAGES | {"media": media}
    return place


@dataclass(frozen=True)
class Cast:
    """Alice develops for the tenant, Bob only looks, Charlie is of another tenant."""

    tenant: Tenant
    other_tenant: Tenant
    alice: User
    bob: User
    charlie: User
    staff: User


@pytest.fixture
def cast(db: None) -> Cast:
    tenant, other = TenantFactory.create(name="studio"), TenantFactory.create(name="rival")
    alice, bob, charlie = (
        UserFactory.create(username=name) for name in ("alice", "bob", "charlie")
    )
    MembershipFactory.create(user=alice, tenant=tenant)
    MembershipFactory.create(user=bob, tenant=tenant, role=Role.VIEWER)
    MembershipFactory.create(user=charlie, tenant=other, role=Role.ADMIN)
    staff = UserFactory.create(username="sam", is_staff=True)
    return Cast(tenant, other, alice, bob, charlie, staff)


def signed_in(user: User) -> Client:
    return sign_in(Client(), user)


@pytest.fixture
def alice(cast: Cast) -> Client:
    return signed_in(cast.alice)


@pytest.fixture
def bob(cast: Cast) -> Client:
    return signed_in(cast.bob)


@pytest.fixture
def charlie(cast: Cast) -> Client:
    return signed_in(cast.charlie)


@pytest.fixture
def staff(cast: Cast) -> Client:
    return signed_in(cast.staff)
