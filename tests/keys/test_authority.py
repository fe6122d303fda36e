"""No key makes a stronger one, by whatever way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import keys
from accounts.models import ApiKey, Tenant
from accounts.roles import Role
from tests.api.sending import code_of, send
from tests.factories import ApiKeyFactory, MembershipFactory, TenantFactory
from tests.harness.api_client import client_of, text_of
from tests.harness.cast import signed_in

pytestmark = pytest.mark.django_db

PATH = "/v1/api-keys"
NARROW = ["jobs:read", "keys:manage"]


@pytest.fixture
def narrow(tenant: Tenant) -> Client:
    """A client whose key manages keys and reads jobs."""
    return client_of(tenant, Role.ADMIN, scopes=NARROW)


def ask(client: Client, role: str, **wanted: Any) -> Any:
    return send(client, PATH, {"name": "made", "role": role} | wanted)


def test_it_works(narrow: Client) -> None:
    answer = ask(narrow, "viewer", scopes=["jobs:read"])
    assert answer.status_code == 201
    assert answer.json()["scopes"] == ["jobs:read"]
    assert ask(narrow, "admin", scopes=NARROW).status_code == 201


@pytest.mark.parametrize(
    ("role", "scopes", "missing"),
    [
        ("admin", None, "*"),
        ("admin", ["*"], "*"),
        ("admin", ["files:read"], "files:read"),
        ("viewer", None, "files:read"),
        ("webhook_only", None, "jobs:create"),
    ],
)
def test_scopes_are_at_most_the_makers(
    narrow: Client, role: str, scopes: list[str] | None, missing: str
) -> None:
    refused = ask(narrow, role, **({"scopes": scopes} if scopes else {}))
    assert code_of(refused, 403) == "key_exceeds_maker"
    assert refused.json()["required_scope"] == missing
    assert ApiKey.objects.count() == 1


BOUNDS: dict[str, Any] = {
    "allowed_ips": ["127.0.0.0/8"],
    "expires_at": timezone.now() + timedelta(days=7),
    "rate_limit_per_minute": 100,
}
MORE: list[dict[str, Any]] = [
    {"allowed_ips": []},
    {"allowed_ips": ["0.0.0.0/0"]},
    {"allowed_ips": ["127.0.0.1", "192.0.2.1"]},
    {"expires_at": None},
    {"expires_at": "2036-01-01T00:00:00Z"},
    {"rate_limit_per_minute": None},
    {"rate_limit_per_minute": 101},
]


@pytest.fixture
def bound(tenant: Tenant) -> Client:
    """A client whose key may do everything, within bounds."""
    return client_of(tenant, Role.ADMIN, **BOUNDS)


def test_bounds_are_handed_on(bound: Client) -> None:
    made = ApiKey.objects.get(pk=ask(bound, "admin").json()["id"])
    assert {name: getattr(made, name) for name in BOUNDS} == BOUNDS


def test_less_is_granted(bound: Client) -> None:
    less: dict[str, Any] = {
        "allowed_ips": ["127.0.0.1"],
        "expires_at": (timezone.now() + timedelta(days=1)).isoformat(),
        "rate_limit_per_minute": 1,
        "quota": {"max_jobs_per_day": 1, "max_jobs_per_hour": 1},
    }
    assert ask(bound, "viewer", **less).status_code == 201


@pytest.mark.parametrize("more", MORE, ids=str)
def test_more_is_refused(bound: Client, more: dict[str, Any]) -> None:
    assert code_of(ask(bound, "viewer", **more), 403) == "key_exceeds_maker"


@pytest.mark.parametrize("more", [each for each in MORE if "expires_at" not in each], ids=str)
def test_a_key_does_not_loosen_another(bound: Client, tenant: Tenant, more: dict[str, Any]) -> None:
    for key in (ApiKey.objects.get(), ApiKeyFactory.create(tenant=tenant)):
        refused = bound.patch(f"{PATH}/{key.pk}", more, "application/json")
        assert code_of(refused, 403) == "key_exceeds_maker"


@pytest.mark.parametrize(
    "more",
    [{}, {"max_jobs_per_day": 6}, {"max_jobs_per_day": None, "max_jobs_per_hour": 1}],
    ids=str,
)
def test_nor_its_quota(tenant: Tenant, more: dict[str, Any]) -> None:
    client = client_of(tenant, Role.ADMIN, quota={"max_jobs_per_day": 5})
    for key in (ApiKey.objects.get(), ApiKeyFactory.create(tenant=tenant)):
        refused = client.patch(f"{PATH}/{key.pk}", {"quota": more}, "application/json")
        assert code_of(refused, 403) == "key_exceeds_maker"


def test_a_key_with_a_quota_makes_no_others(tenant: Tenant) -> None:
    """Each would count from nothing."""
    quota = {"max_jobs_per_day": 5}
    own = ApiKeyFactory.create(tenant=tenant, role=Role.ADMIN, quota=quota)
    client = Client(headers={"X-API-Key": text_of(own)})
    other = ApiKeyFactory.create(tenant=tenant)
    assert code_of(ask(client, "viewer", quota=quota), 403) == "key_exceeds_maker"
    for key in (own, other):
        assert code_of(send(client, f"{PATH}/{key.pk}/rotate", {}), 403) == "key_exceeds_maker"
    assert ApiKey.objects.count() == 2


def test_nobody_grants_more_requests_than_the_installation(
    client: Client, tenant: Tenant, settings: Settings
) -> None:
    settings.RATE_LIMIT_REQUESTS_PER_MINUTE = 50
    more = {"rate_limit_per_minute": 51}
    assert code_of(ask(client, "viewer", **more), 403) == "key_exceeds_maker"
    refused = client.patch(f"{PATH}/{ApiKey.objects.get().pk}", more, "application/json")
    assert code_of(refused, 403) == "key_exceeds_maker"
    member = MembershipFactory.create(tenant=tenant, role=Role.ADMIN)
    form = {"name": "made", "role": "viewer", "lifetime": "7", "rate_limit_per_minute": "51"}
    assert signed_in(member.user).post("/keys", form).status_code == 403
    assert ask(client, "viewer", rate_limit_per_minute=50).status_code == 201


def test_a_key_does_not_get_a_stronger_ones_successor(narrow: Client, tenant: Tenant) -> None:
    stronger = ApiKeyFactory.create(tenant=tenant, role=Role.ADMIN)
    for way, method in (("/rotate", "POST"), ("", "PATCH")):
        refused = narrow.generic(method, f"{PATH}/{stronger.pk}{way}", b"{}", "application/json")
        assert code_of(refused, 403) == "key_exceeds_maker"
    assert send(narrow, f"{PATH}/{stronger.pk}/revoke").status_code == 200


def test_a_bound_key_does_not_get_an_unbound_ones_successor(bound: Client, tenant: Tenant) -> None:
    free = ApiKeyFactory.create(tenant=tenant)
    assert code_of(send(bound, f"{PATH}/{free.pk}/rotate", {}), 403) == "key_exceeds_maker"


def test_what_a_persons_key_makes_ends_with_the_person(tenant: Tenant) -> None:
    member = MembershipFactory.create(tenant=tenant, role=Role.ADMIN)
    own = ApiKeyFactory.create(
        tenant=tenant, role=Role.ADMIN, created_by=member.user, follows_creator=True
    )
    client = Client(headers={"X-API-Key": text_of(own)})
    told = ask(client, "operator").json()
    assert told["made_by"] == own.pk
    member.role = Role.VIEWER
    member.save()
    made = keys.find(told["key"])
    assert made is not None
    assert made.scopes == {"jobs:read", "files:read"}
    member.delete()
    assert ApiKey.objects.get(pk=made.pk).is_orphaned


class TestNumber:
    @pytest.fixture(autouse=True)
    def _three(self, settings: Settings) -> None:
        settings.MAX_API_KEYS_PER_TENANT = 3

    def test_it_works(self, client: Client) -> None:
        made = [ask(client, "viewer") for _ in range(4)]
        usable = [each for each in made if each.status_code == 201]
        assert len(usable) < 4
        assert code_of(made[-1], 409) == "too_many_keys"
        stranger = client_of(TenantFactory.create(), role="admin")
        assert ask(stranger, "viewer").status_code == 201
        send(client, f"/v1/api-keys/{usable[0].json()['id']}/revoke", {})
        assert ask(client, "viewer").status_code == 201

    def test_to_rotate_needs_no_place(self, client: Client) -> None:
        made = ask(client, "viewer").json()["id"]
        while ask(client, "viewer").status_code == 201:
            pass
        body = {"overlap_seconds": 60}
        rotated = send(client, f"/v1/api-keys/{made}/rotate", body)
        assert rotated.status_code in {200, 201}, rotated.content
        assert code_of(ask(client, "viewer"), 409) == "too_many_keys"
