"""What is refused leaves one record, and a flood of it a few."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import rate_limit
from accounts.models import ApiKey, AuditRecord, Tenant
from accounts.rate_limit import Limit
from accounts.roles import Role
from accounts.web import denials
from tests.factories import ApiKeyFactory, MembershipFactory
from tests.harness.api_client import client_of, key_of, text_of

pytestmark = pytest.mark.django_db


def denied() -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(event_type="request.denied").order_by("id"))


def with_key(text: str) -> Client:
    return Client(headers={"X-API-Key": text})


def test_it_works(tenant: Tenant) -> None:
    key = ApiKeyFactory.create(tenant=tenant, role=Role.VIEWER)
    with_key(text_of(key)).post("/v1/transcode", {}, "application/json")
    [record] = denied()
    assert (record.tenant_id, record.outcome) == (tenant.pk, "denied")
    assert (record.actor_type, record.actor_id) == ("api_key", key.pk)
    assert record.details == {"status": 403, "method": "POST", "route": "v1/transcode"}


@pytest.mark.parametrize(
    ("reason", "columns"),
    [
        ("revoked", {"revoked_at": timezone.now()}),
        ("expired", {"expires_at": timezone.now() - timedelta(seconds=1)}),
        ("address_not_allowed", {"allowed_ips": ["192.0.2.0/24"]}),
        ("forged", {"secret_digest": "0" * 64}),
    ],
)
def test_a_key_that_is_known_is_named(
    tenant: Tenant, reason: str, columns: dict[str, object]
) -> None:
    key = ApiKeyFactory.create(tenant=tenant)
    ApiKey.objects.filter(pk=key.pk).update(**columns)
    assert with_key(text_of(key)).get("/v1/jobs").status_code == 401
    [record] = denied()
    assert record.tenant_id == tenant.pk
    assert (record.actor_type, record.actor_id) == ("anonymous", "")
    expected = {"status": 401, "method": "GET", "route": "v1/jobs", "reason": reason}
    assert record.details == expected | {"api_key": key.pk}


def test_one_that_is_unknown_is_the_installations() -> None:
    Client().get("/v1/jobs")
    with_key("ffapi_x").get("/v1/jobs")
    assert [record.tenant_id for record in denied()] == [None, None]
    assert {record.details["reason"] for record in denied()} == {"unknown"}


def test_a_page_that_is_refused_is_told(tenant: Tenant) -> None:
    viewer = MembershipFactory.create(tenant=tenant, role=Role.VIEWER).user
    browser = Client()
    browser.force_login(viewer)
    assert browser.get("/keys").status_code == 403
    [record] = denied()
    assert (record.tenant_id, record.actor_type, record.actor_id) == (
        tenant.pk,
        "user",
        str(viewer.pk),
    )


def test_what_is_granted_is_not_told(tenant: Tenant) -> None:
    client_of(tenant).get("/v1/jobs")
    client_of(tenant).get("/v1/jobs/job_nothing")
    assert denied() == []


def test_a_flood_is_bounded(
    tenant: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = 10_000
    viewer = with_key(key_of(tenant, Role.VIEWER))
    for _ in range(denials._OF_ONE.quota + 20):
        assert viewer.delete("/v1/files/x").status_code == 403
        assert with_key("ffapi_x").get("/v1/jobs").status_code == 401
    assert len(denied()) == 2 * denials._OF_ONE.quota
    # Many keys, or many addresses, are bounded together.
    monkeypatch.setattr(denials, "_OF_ALL", Limit(3, window_s=rate_limit.LONGEST_WINDOW_S))
    before = len(denied())
    for number in range(6):
        with_key(key_of(tenant, Role.VIEWER)).delete("/v1/files/x")
        with_key("ffapi_x").get("/v1/jobs", REMOTE_ADDR=f"192.0.2.{number}")
    assert len(denied()) <= before + 6
