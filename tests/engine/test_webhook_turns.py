"""No receiver, and no tenant, holds up the events of another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.lib.chores import Chore, Round
from media_jobs.events import webhooks
from media_jobs.events.webhooks import receivers, rounds, sender, turns
from media_jobs.models import WebhookDelivery, WebhookEndpoint
from tests.factories import TenantFactory, WebhookDeliveryFactory
from tests.harness.server import eventually
from tests.harness.superuser import superuser
from tests.lib.hostile_server import HostileServer

pytestmark = pytest.mark.django_db


def waiting(tenant: Tenant, number: int = 1, url: str = "https://a.example/hook") -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    event = {"of_quota": True, "tenant": tenant, "url": url, "next_attempt_at": long_ago}
    WebhookDeliveryFactory.create_batch(number, **event)


def claimed(number: int) -> list[WebhookDelivery]:
    found = [webhooks.claim() for _ in range(number)]
    return [each for each in found if each is not None]


def test_tenants_take_turns() -> None:
    """However long one has been waiting, with however many."""
    many, one = TenantFactory.create_batch(2)
    waiting(many, 50)
    WebhookDeliveryFactory.create(of_quota=True, tenant=one)
    assert one.pk in [each.tenant_id for each in claimed(2)]


def test_turns_go_round_where_every_event_is_quick() -> None:
    first, second = TenantFactory.create_batch(2)
    waiting(first, 6)
    waiting(second, 6)
    order = []
    for delivery in claimed_one_by_one(6):
        order.append(delivery.tenant_id)
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            claimed_until=None, next_attempt_at=None
        )
    assert order[0::2] == [order[0]] * 3
    assert order[1::2] == [order[1]] * 3
    assert order[0] != order[1]


def claimed_one_by_one(number: int) -> Iterable[WebhookDelivery]:
    for _ in range(number):
        yield from claimed(1)


def test_a_receiver_has_four_events_at_a_time() -> None:
    tenant = TenantFactory.create()
    waiting(tenant, 10)
    assert len(claimed(10)) == 4


def test_a_tenant_has_six_on_the_way_whatever_its_receivers() -> None:
    tenant = TenantFactory.create()
    for number in range(10):
        waiting(tenant, url=f"https://receiver-{number}.example/")
    assert len(claimed(10)) == 6


def test_the_same_address_is_another_s_receiver_for_another_tenant() -> None:
    for tenant in TenantFactory.create_batch(2):
        waiting(tenant, 10)
    assert len(claimed(20)) == 8


def refused(delivery: WebhookDelivery, settings: Settings) -> None:
    """Nobody listens at its address."""
    settings.URL_ALLOWLIST = frozenset({"127.0.0.1:1"})
    webhooks.deliver(delivery)


DEAD = "http://127.0.0.1:1/hook"


def test_a_dead_receiver_is_left_alone(settings: Settings) -> None:
    tenant = TenantFactory.create()
    waiting(tenant, 10, url=DEAD)
    for delivery in claimed(3):
        refused(delivery, settings)
    assert claimed(1) == []
    waiting(tenant, url="https://alive.example/")
    assert [each.url for each in claimed(2)] == ["https://alive.example/"]


def test_after_its_pause_one_event_tries_it(settings: Settings) -> None:
    tenant = TenantFactory.create()
    waiting(tenant, 10, url=DEAD)
    for delivery in claimed(3):
        refused(delivery, settings)
    assert claimed(1) == []
    WebhookDelivery.objects.update(next_attempt_at=Now())
    WebhookEndpoint.objects.update(open_until=timezone.now() - timedelta(hours=1))
    assert len(claimed(4)) == 1


def test_one_event_that_is_taken_closes_the_circuit(settings: Settings) -> None:
    with HostileServer(lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as server:
        settings.URL_ALLOWLIST = frozenset({server.authority})
        tenant = TenantFactory.create()
        waiting(tenant, 5, url=server.url)
        WebhookEndpoint.objects.create(tenant=tenant, origin=server.authority, failures=7)
        [delivery] = claimed(4)
        assert webhooks.deliver(delivery)
    assert len(claimed(4)) == 4


def test_an_event_sent_again_by_hand_does_not_wait_for_the_pause(settings: Settings) -> None:
    tenant = TenantFactory.create()
    waiting(tenant, 4, url=DEAD)
    taken = claimed(3)
    for delivery in taken:
        refused(delivery, settings)
    webhooks.redeliver(taken[0])
    assert taken[0] in claimed(4)


@pytest.mark.django_db(transaction=True)
def test_slow_receivers_of_one_tenant_do_not_delay_another(settings: Settings) -> None:
    slow_is_over = threading.Event()

    def slow(_: bytes) -> Iterable[bytes]:
        slow_is_over.wait(20)
        return [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]

    def quick(_: bytes) -> Iterable[bytes]:
        return [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]

    with HostileServer(slow) as hanging, HostileServer(quick) as answering:
        settings.URL_ALLOWLIST = frozenset({hanging.authority, answering.authority})
        slowed, other = TenantFactory.create_batch(2)
        waiting(slowed, 200, url=hanging.url)
        rounds = webhooks.Rounds()
        rounds.send_due()
        WebhookDeliveryFactory.create(of_quota=True, tenant=other, url=answering.url)
        assert rounds.send_due()
        assert eventually(
            lambda: WebhookDelivery.objects.get(tenant=other).delivered_at is not None, within_s=10
        )
        slow_is_over.set()
        assert eventually(
            lambda: not WebhookDelivery.objects.filter(claimed_until__gt=Now()).exists(),
            within_s=10,
        )


_MANY = """
INSERT INTO media_jobs_webhookdelivery
    (id, tenant_id, url, event, attempt, last_error, next_attempt_at)
SELECT 'evt_' || n, %s, 'https://a.example/', 'x', 0, '', now() - interval '1 hour'
FROM generate_series(1, 20000) AS n
"""


def test_what_waits_is_found_by_its_index() -> None:
    """However much waits, and whatever PostgreSQL believes of it, a claim reads a few rows."""
    with superuser() as cursor:  # as much was there, and gone when it looked
        cursor.execute(_MANY, ["gone"])
        cursor.execute("DELETE FROM media_jobs_webhookdelivery WHERE tenant_id = 'gone'")
        cursor.execute("ANALYZE media_jobs_webhookdelivery, media_jobs_webhookendpoint")
    tenant = TenantFactory.create()
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [tenant.pk])
    before = rows_read()
    assert webhooks.claim() is not None
    assert rows_read() - before < 500


def rows_read(table: str = "media_jobs_webhookdelivery") -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = %s",
            [table],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("after", ["?x=1", "#x", "\\x", "", "/x", "/a//b?y=/z"])
def test_what_follows_the_host_makes_no_other_receiver(after: str) -> None:
    """Its failures are written down where they are looked for."""
    tenant = TenantFactory.create()
    waiting(tenant, 10, url=f"https://Nobody.invalid:8443{after}")
    for delivery in claimed(3):
        receivers.note(delivery, is_failing=True, pause_s=None)
    [receiver] = WebhookEndpoint.objects.all()
    assert (receiver.origin, receiver.failures) == ("nobody.invalid:8443", 3)
    assert claimed(1) == []


def test_the_receivers_of_another_are_not_read() -> None:
    """However many a tenant has had, a claim is as quick."""
    hostile, tenant = TenantFactory.create_batch(2)
    WebhookEndpoint.objects.bulk_create(
        WebhookEndpoint(tenant=hostile, origin=f"r{n}.example") for n in range(3000)
    )
    waiting(tenant)
    before = rows_read("media_jobs_webhookendpoint")
    assert webhooks.claim() is not None
    assert rows_read("media_jobs_webhookendpoint") - before < 100


def test_receivers_are_forgotten_the_sound_ones_sooner() -> None:
    tenant = TenantFactory.create()
    ages = {"sound": (2, 0), "failing": (2, 1), "old": (8, 1), "new": (0, 0)}
    for origin, (days, failures) in ages.items():
        WebhookEndpoint.objects.create(
            tenant=tenant,
            origin=origin,
            failures=failures,
            turn_at=timezone.now() - timedelta(days=days),
        )
    webhooks.forget_old()
    assert set(WebhookEndpoint.objects.values_list("origin", flat=True)) == {"failing", "new"}


def test_of_one_tenant_s_receivers_the_last_are_known() -> None:
    """Each event may name another: a tenant's rows have a bound all the same."""
    many, few = TenantFactory.create_batch(2)
    now = timezone.now()
    WebhookEndpoint.objects.bulk_create(
        WebhookEndpoint(
            tenant=tenant, origin=f"h{age}", failures=5, turn_at=now - timedelta(seconds=age)
        )
        for tenant, number in ((many, turns.KNOWN_OF_ONE_TENANT + 10), (few, 3))
        for age in range(number)
    )
    webhooks.forget_old()
    known = WebhookEndpoint.objects.filter(tenant=many)
    assert known.count() == turns.KNOWN_OF_ONE_TENANT
    assert known.filter(origin="h0").exists()
    assert not known.filter(origin=f"h{turns.KNOWN_OF_ONE_TENANT}").exists()
    assert WebhookEndpoint.objects.filter(tenant=few).count() == 3


def test_a_sender_with_much_to_do_is_not_taken_to_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its patience is for an event, not for all that wait; and it comes to a word in between."""
    waited = iter(range(250))
    sent = []

    def deliver(_: WebhookDelivery) -> None:
        time.sleep(0.02)
        sent.append(1)

    monkeypatch.setattr(rounds, "claim", lambda: WebhookDelivery() if next(waited, None) else None)
    monkeypatch.setattr(rounds, "deliver", deliver)
    next(waited)
    sending = Round("sending", [Chore("sending", rounds.Rounds().send_due)], patience_s=0.15)
    doing = threading.Thread(target=sending.do_due)
    doing.start()
    hung = []
    while doing.is_alive():
        hung.append(sending.hangs_in)
        doing.join(0.02)
    assert set(hung) == {""}
    assert 50 < len(sent) <= 100


def test_a_late_failure_does_not_send_again_what_was_taken() -> None:
    tenant = TenantFactory.create()
    waiting(tenant)
    [slow] = claimed(1)
    WebhookDelivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    [quick] = claimed(1)
    sender._record(quick, sender._Outcome(200))
    sender._record(slow, sender._Outcome(error="timed out"))
    row = WebhookDelivery.objects.get()
    assert row.next_attempt_at is None
    assert row.delivered_at is not None


def test_what_is_asked_for_on_its_way_is_sent_again() -> None:
    """Also where it is too old to be tried for its own sake."""
    tenant = TenantFactory.create()
    waiting(tenant)
    [on_its_way] = claimed(1)
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=4))
    on_its_way.refresh_from_db()
    webhooks.redeliver(on_its_way)
    sender._record(on_its_way, sender._Outcome(500))
    assert WebhookDelivery.objects.get().next_attempt_at is not None
