from __future__ import annotations

import json
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError, connection, transaction
from django.test import Client
from pytest_django import Settings
from standardwebhooks import Webhook

from accounts.models import AuditRecord, IdempotentRequest, QuotaAlert, Tenant
from accounts.quotas import alerts, limits, suspension
from accounts.roles import Role
from ffapi_site.lib.problems import Conflict
from media_jobs.events import webhooks
from media_jobs.models import Job, WebhookDelivery
from tests.api.sending import WANTED, code_of, send
from tests.factories import MembershipFactory, TenantFactory, UserFactory
from tests.harness.api_client import client_of

pytestmark = pytest.mark.django_db


def submit(client: Client, times: int) -> list[int]:
    return [send(client, "/v1/jobs", WANTED).status_code for _ in range(times)]


def told(tenant: Tenant) -> list[tuple[str, int]]:
    rows = QuotaAlert.objects.for_tenant(tenant).order_by("pk")
    return [(row.name, row.percent) for row in rows]


def events(tenant: Tenant) -> list[str]:
    return list(
        AuditRecord.objects.for_tenant(tenant).order_by("pk").values_list("event_type", flat=True)
    )


def test_it_works(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 5})
    submit(client, 3)
    assert told(tenant) == []
    submit(client, 1)
    assert told(tenant) == [("max_jobs_per_hour", 80)]
    submit(client, 2)
    assert told(tenant) == [("max_jobs_per_hour", 80), ("max_jobs_per_hour", 100)]
    body = client_of(tenant, Role.OPERATOR).get("/v1/quotas/alerts").json()
    assert body["webhook_url"] is None
    assert [each["event"] for each in body["results"]] == ["quota.exceeded", "quota.warning"]
    assert (body["results"][1]["taken"], body["results"][1]["limit"]) == (4, 5)


def test_each_is_told_once_a_window(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    for _ in range(2):
        submit(client, 1)
        from media_jobs.engine import jobs

        jobs.cancel(Job.objects.for_tenant(tenant).get(status="queued"))
    assert told(tenant) == [("max_jobs_per_hour", 100)]


def test_admins_get_a_mail(tenant: Tenant, client: Client) -> None:
    for name, role in (("ada", Role.ADMIN), ("dev", Role.DEVELOPER)):
        user = UserFactory.create(username=name, email=f"{name}@example.org")
        MembershipFactory.create(user=user, tenant=tenant, role=role)
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    submit(client, 1)
    assert alerts.mail_due() == 1
    assert alerts.mail_due() == 0
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.org"]
    assert sent.subject == f"{tenant.name}: 100 % of max_jobs_per_hour"
    assert "has taken 1 of 1 jobs" in sent.body


class _Server(EmailBackend):
    """A mail server that does not know one of the addresses."""

    def send_messages(self, messages: Any) -> int:
        if messages[0].to == ["nobody@example.org"]:
            raise SMTPRecipientsRefused({})
        return super().send_messages(messages)


def _alerted(email: str) -> QuotaAlert:
    tenant = TenantFactory.create()
    user = UserFactory.create(email=email)
    MembershipFactory.create(user=user, tenant=tenant, role=Role.ADMIN)
    alerts.note_suspension(tenant.pk, 3, 3)
    return QuotaAlert.objects.get(tenant=tenant)


def test_one_wrong_address_stops_no_other_mail(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}._Server"
    wrong, right = _alerted("nobody@example.org"), _alerted("ada@example.org")
    assert alerts.mail_due() == 1
    assert [each.to for each in mail.outbox] == [["ada@example.org"]]
    wrong.refresh_from_db()
    right.refresh_from_db()
    assert (wrong.mailed_at, wrong.mail_tries, right.mail_tries) == (None, 1, 1)
    # Not again at once, and not for ever.
    assert alerts.mail_due() == 0
    wrong.refresh_from_db()
    assert wrong.mail_tries == 1
    for _ in range(20):
        QuotaAlert.objects.update(next_mail_at=None)
        alerts.mail_due()
    wrong.refresh_from_db()
    assert (wrong.mailed_at, wrong.mail_tries) == (None, 8)


def test_one_that_nobody_knows_how_to_tell_stops_no_other_mail() -> None:
    odd = _alerted("nobody@example.org")
    QuotaAlert.objects.filter(pk=odd.pk).update(name="quota of another version")
    _alerted("ada@example.org")
    assert alerts.mail_due() == 1
    assert [each.to for each in mail.outbox] == [["ada@example.org"]]
    odd.refresh_from_db()
    assert (odd.mailed_at, odd.mail_tries) == (None, 1)


def test_one_that_the_database_refuses_stops_no_other_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, mail_it = _alerted("nobody@example.org"), alerts._mail

    def mail_or_wait(alert: QuotaAlert) -> None:
        if alert.pk == slow.pk:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")
        mail_it(alert)

    monkeypatch.setattr(alerts, "_mail", mail_or_wait)
    _alerted("ada@example.org")
    assert alerts.mail_due() == 1
    slow.refresh_from_db()
    assert (slow.mailed_at, slow.mail_tries) == (None, 1)


def test_a_secret_that_no_key_opens_stops_no_mail() -> None:
    odd = _alerted("eve@example.org")
    with connection.cursor() as cursor:
        told = ["no key opens this", odd.tenant_id]
        cursor.execute("UPDATE accounts_tenant SET webhook_secret = %s WHERE id = %s", told)
    _alerted("ada@example.org")
    assert alerts.mail_due() == 2
    assert [each.to for each in mail.outbox] == [["eve@example.org"], ["ada@example.org"]]


def test_a_webhook_is_signed_as_the_others(tenant: Tenant) -> None:
    client = client_of(tenant, Role.ADMIN)
    url = "https://example.org/hook"
    put = client.put("/v1/quotas/alerts", {"webhook_url": url}, content_type="application/json")
    assert put.status_code == 204
    assert events(tenant).count("quota.alerts_changed") == 1
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 1})
    submit(client, 1)
    delivery = WebhookDelivery.objects.get(job=None)
    assert (delivery.url, delivery.event) == (url, "quota.exceeded")
    body = json.dumps(webhooks.payload(delivery))
    tenant.refresh_from_db()
    headers = webhooks.signed_headers(delivery, body)
    Webhook(tenant.webhook_secret).verify(body, headers)
    data = json.loads(body)["data"]
    assert (data["quota"], data["percent"], data["limit"], data["taken"]) == (
        *("max_jobs_per_hour", 100),
        *(1, 1),
    )


def test_an_address_inside_is_refused(tenant: Tenant) -> None:
    client = client_of(tenant, Role.ADMIN)
    body = {"webhook_url": "http://127.0.0.1/"}
    put = client.put("/v1/quotas/alerts", body, content_type="application/json")
    assert put.status_code == 422
    assert put.json()["errors"][0]["pointer"] == "/webhook_url"


def test_repeated_refusals_suspend_where_the_plan_says_so(tenant: Tenant, client: Client) -> None:
    limits.put_plan("strict", {"max_jobs_per_hour": 1}, suspend_after_violations=3)
    limits.set_plan(tenant, "strict")
    assert submit(client, 4) == [202, 429, 429, 429]
    refused = send(client, "/v1/jobs", WANTED)
    assert code_of(refused, 403) == "quota_suspended"
    assert events(tenant).count("quota.suspended") == 1
    assert told(tenant)[-1][0] == "suspended"
    assert client.get("/v1/jobs").status_code == 200
    tenant.refresh_from_db()
    assert tenant.quota_suspended_for == "3 refusals today, the last for max_jobs_per_hour"
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 5})
    suspension.lift(tenant)
    assert events(tenant).count("quota.suspension_lifted") == 1
    assert submit(client, 1) == [202]
    with pytest.raises(Conflict):
        suspension.lift(tenant)


def test_a_suspension_is_not_repeated_once_it_is_lifted(tenant: Tenant, client: Client) -> None:
    suspension.suspend(tenant, "a test")
    refused = send(client, "/v1/jobs", WANTED, Idempotency_Key="once")
    assert code_of(refused, 403) == "quota_suspended"
    suspension.lift(tenant)
    assert send(client, "/v1/jobs", WANTED, Idempotency_Key="once").status_code == 202


def test_a_refusal_that_can_t_be_counted_frees_its_key(
    tenant: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OperationalError

    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 0})
    monkeypatch.setattr(suspension, "note_violation", fail)
    assert send(client, "/v1/jobs", WANTED, Idempotency_Key="once").status_code == 503
    assert not IdempotentRequest.objects.exists()


def test_without_such_a_plan_nobody_is_suspended(tenant: Tenant, client: Client) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 0})
    assert submit(client, 5) == [429] * 5
    tenant.refresh_from_db()
    assert tenant.quota_suspended_at is None
