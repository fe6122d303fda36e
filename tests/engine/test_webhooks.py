from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.models import Tenant
from media_jobs.events import webhooks
from media_jobs.models import WebhookDelivery
from tests.factories import TenantFactory, WebhookDeliveryFactory
from tests.lib.hostile_server import HostileServer

pytestmark = pytest.mark.django_db


def answering(status: str, headers: str = "") -> Callable[[bytes], Iterable[bytes]]:
    return lambda _: [f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n{headers}\r\n".encode()]


def delivery_to(server: HostileServer, settings: Settings) -> WebhookDelivery:
    settings.URL_ALLOWLIST = frozenset({server.authority})
    return WebhookDeliveryFactory.create(url=f"{server.url}/hook", job__metadata={"order": 7})


def send_next() -> WebhookDelivery:
    claimed = webhooks.claim()
    assert claimed is not None
    webhooks.deliver(claimed)
    return WebhookDelivery.objects.get(pk=claimed.pk)


def received(request: bytes) -> tuple[dict[str, str], str]:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, body.decode()


def test_it_works(settings: Settings) -> None:
    with HostileServer(answering("204 No Content")) as server:
        delivery_to(server, settings)
        sent = send_next()
        assert sent.delivered_at is not None
        assert (sent.last_status, sent.next_attempt_at, sent.attempt) == (204, None, 1)
        assert webhooks.claim() is None


def test_the_signature_is_that_of_standard_webhooks(settings: Settings) -> None:
    row = WebhookDeliveryFactory.create()
    body = json.dumps(webhooks.payload(row))
    headers = webhooks.signed_headers(row, body)
    receiver = Webhook(row.tenant.webhook_secret)
    assert receiver.verify(body, headers)["data"]["job_id"] == row.job_id
    with pytest.raises(WebhookVerificationError):
        receiver.verify(body.replace("completed", "failed"), headers)


@pytest.mark.parametrize("status", ["500 Internal Server Error", "404 Not Found", "429 Too Many"])
def test_a_refusal_is_tried_again_later(settings: Settings, status: str) -> None:
    with HostileServer(answering(status)) as server:
        delivery_to(server, settings)
        sent = send_next()
    assert sent.delivered_at is None
    assert sent.last_status == int(status.split(maxsplit=1)[0])
    assert sent.next_attempt_at is not None
    assert sent.next_attempt_at > timezone.now() + timedelta(seconds=2)


def test_a_redirect_is_not_followed(settings: Settings) -> None:
    with HostileServer(answering("302 Found", "Location: /elsewhere\r\n")) as server:
        delivery_to(server, settings)
        sent = send_next()
        assert len(server.requests) == 1
    assert (sent.last_status, sent.delivered_at) == (302, None)


def test_every_attempt_has_the_same_id_and_a_fresh_signature(settings: Settings) -> None:
    with HostileServer(answering("503 Away")) as server:
        delivery_to(server, settings)
        first = send_next()
        WebhookDelivery.objects.update(next_attempt_at=timezone.now())
        second = send_next()
        heads = [received(request)[0] for request in server.requests]
    assert first.id == second.id
    assert heads[0]["webhook-id"] == heads[1]["webhook-id"] == first.id
    assert second.attempt == 2


def test_a_dead_receiver_is_tried_again(settings: Settings) -> None:
    with HostileServer(answering("200 OK")) as server:
        delivery_to(server, settings)
    sent = send_next()
    assert sent.last_error.startswith("url_unreachable")
    assert sent.next_attempt_at is not None


def test_an_address_inside_is_refused_at_every_attempt(settings: Settings) -> None:
    with HostileServer(answering("200 OK")) as server:
        delivery_to(server, settings)
        settings.URL_ALLOWLIST = frozenset()
        sent = send_next()
        assert server.requests == []
    assert sent.last_error.startswith("url_address_not_allowed")


def test_after_three_days_it_is_given_up(settings: Settings) -> None:
    with HostileServer(answering("500 No")) as server:
        delivery = delivery_to(server, settings)
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            created_at=timezone.now() - timedelta(hours=73)
        )
        sent = send_next()
    assert (sent.next_attempt_at, sent.delivered_at) == (None, None)


@pytest.mark.parametrize(
    ("asked", "at_least_s", "at_most_s"),
    [("120", 90, 150), ("0", 3, 10), ("-1", 3, 10), ("315360000", 2500, 4500)],
)
def test_a_wait_that_is_asked_for_is_kept_within_bounds(
    settings: Settings, asked: str, at_least_s: int, at_most_s: int
) -> None:
    headers = f"Retry-After: {asked}\r\n"
    with HostileServer(answering("503 Away", headers)) as server:
        delivery_to(server, settings)
        before = timezone.now()
        sent = send_next()
    assert sent.next_attempt_at is not None
    wait_s = (sent.next_attempt_at - before).total_seconds()
    assert at_least_s < wait_s < at_most_s


def test_events_that_failed_together_part(settings: Settings) -> None:
    with HostileServer(answering("503 Away")) as server:
        first = delivery_to(server, settings)
        for _ in range(2):
            another(first)
        WebhookDelivery.objects.update(attempt=12)  # hours, so that seconds say nothing
        due = [sent.next_attempt_at for sent in (send_next() for _ in range(3))]
    [earliest, *_, latest] = sorted(each for each in due if each is not None)
    assert latest - earliest > timedelta(seconds=10)


def test_a_receiver_that_is_gone_is_sent_nothing_more(settings: Settings) -> None:
    with HostileServer(answering("410 Gone")) as server:
        first = delivery_to(server, settings)
        second = another(first)
        elsewhere = another(first, url=f"{server.url}/other")
        of_a_stranger = another(first, tenant=TenantFactory.create())
        sent = send_next()
        assert len(server.requests) == 1
    for each in (second, elsewhere, of_a_stranger):
        each.refresh_from_db()
    assert (sent.next_attempt_at, sent.last_status) == (None, 410)
    assert (second.next_attempt_at, second.last_status) == (None, 410)
    assert elsewhere.next_attempt_at is not None
    assert of_a_stranger.next_attempt_at is not None


def another(
    delivery: WebhookDelivery, *, url: str = "", tenant: Tenant | None = None
) -> WebhookDelivery:
    return WebhookDeliveryFactory.create(
        of_quota=True, tenant=tenant or delivery.tenant, url=url or delivery.url
    )


def test_an_event_that_cannot_be_signed_is_put_off(settings: Settings) -> None:
    with HostileServer(answering("200 OK")) as server:
        delivery = delivery_to(server, settings)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_tenant SET webhook_secret = 'no key opens this'")
        sent = send_next()
        assert server.requests == []
    assert sent.pk == delivery.pk
    assert sent.last_error.startswith("internal_error")
    assert sent.next_attempt_at is not None
    assert sent.next_attempt_at > timezone.now()


def test_two_couriers_do_not_share_a_delivery(settings: Settings) -> None:
    with HostileServer(answering("200 OK")) as server:
        delivery_to(server, settings)
        assert webhooks.claim() is not None
        assert webhooks.claim() is None
