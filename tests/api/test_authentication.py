from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditRecord, Tenant
from tests.api.sending import code_of
from tests.factories import ApiKeyFactory, TenantFactory, UserFactory
from tests.harness.api_client import key_of, text_of
from tests.harness.signing_in import sign_in

pytestmark = pytest.mark.django_db

ID = {"X-Request-ID": "one-and-the-same"}


def test_it_works(tenant: Tenant) -> None:
    key = key_of(tenant)
    for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
        response = Client().get("/v1/tenant", headers=headers)
        assert response.json() == {"id": tenant.id, "name": tenant.name}
        assert response["RateLimit-Policy"] == '"default";q=600;w=60'
        assert response["Cache-Control"] == "no-store"
        assert not response.cookies


def unusable(tenant: Tenant) -> dict[str, dict[str, str]]:
    past = timezone.now() - timedelta(seconds=1)
    inactive = TenantFactory.create(is_active=False)
    good = key_of(tenant)
    other = key_of(tenant)
    texts = {
        "expired": key_of(tenant, expires_at=past),
        "revoked": text_of(ApiKeyFactory.create(tenant=tenant, revoked_at=timezone.now())),
        "of an inactive tenant": key_of(inactive),
        "mistyped": good[:-1] + ("a" if good[-1] != "a" else "b"),
        "with another's secret": good[:33] + other[33:],
        "cut": good[:-7],
        "nonsense": "x",
    }
    bearers = {name: {"Authorization": f"Bearer {text}"} for name, text in texts.items()}
    return bearers | {
        "missing": {},
        "empty": {"Authorization": "Bearer "},
        "of another scheme": {"Authorization": f"Basic {good}"},
    }


def test_whatever_is_wrong_the_answer_is_the_same(tenant: Tenant) -> None:
    answers = {
        name: Client().get("/v1/jobs", headers=headers | ID)
        for name, headers in unusable(tenant).items()
    }
    told = {(each.status_code, each.content, str(each.headers)) for each in answers.values()}
    assert len(told) == 1, answers
    assert code_of(answers["missing"], 401) == "unauthenticated"
    assert answers["missing"]["WWW-Authenticate"] == 'Bearer realm="ffapi"'


def test_a_session_is_no_key() -> None:
    browser = Client()
    sign_in(browser, UserFactory.create(is_staff=True))
    assert code_of(browser.get("/v1/jobs"), 401) == "unauthenticated"


def test_failures_count_by_address(settings: Settings, tenant: Tenant) -> None:
    settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = 2
    codes = [Client().get("/v1/jobs", REMOTE_ADDR="192.0.2.1").status_code for _ in range(3)]
    assert codes == [401, 401, 429]
    assert Client().get("/v1/jobs", REMOTE_ADDR="192.0.2.2").status_code == 401
    good = Client(headers={"X-API-Key": key_of(tenant)})
    assert good.get("/v1/tenant", REMOTE_ADDR="192.0.2.1").status_code == 200


def test_a_key_has_so_many_requests_a_minute(settings: Settings, client: Client) -> None:
    settings.RATE_LIMIT_REQUESTS_PER_MINUTE = 2
    answers = [client.get("/v1/tenant") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [each["RateLimit"].split(";")[1] for each in answers] == ["r=1", "r=0", "r=0"]
    assert code_of(answers[2], 429) == "rate_limited"
    assert 1 <= int(answers[2]["Retry-After"]) <= 60


def test_the_webhook_secret_takes_its_scope(tenant: Tenant) -> None:
    response: Any = Client().get(
        "/v1/tenant", headers={"X-API-Key": key_of(tenant, role="operator")}
    )
    assert response.json()["webhook_secret"] == tenant.webhook_secret
    [shown] = AuditRecord.objects.filter(event_type="webhook_secret.shown")
    assert (shown.tenant, shown.resource_id, shown.actor_type) == (tenant, tenant.pk, "api_key")


def test_who_is_not_told_the_webhook_secret_leaves_no_record(client: Client) -> None:
    assert "webhook_secret" not in client.get("/v1/tenant").json()
    assert not AuditRecord.objects.filter(event_type="webhook_secret.shown").exists()


def test_a_harmless_request_id_is_echoed(client: Client) -> None:
    assert client.get("/v1/tenant", headers=ID)["X-Request-ID"] == "one-and-the-same"
    for given in ("a b", "x" * 129, "ü", "<script>"):
        made = client.get("/v1/tenant", headers={"X-Request-ID": given})["X-Request-ID"]
        assert made.startswith("req_")
