"""What is taken out of the log, by retention or by erasure, leaves the chain whole."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import actor, audit
from accounts.actor import Actor, Kind
from accounts.audit_chain import erasure, forwarding, records, retention
from accounts.audit_chain import sealer as sealer_module
from accounts.audit_chain.checkpoints import Rewritten
from accounts.audit_chain.sealer import Sealing
from accounts.audit_events import AuditEvent
from accounts.models import AuditCheckpoint, AuditRecord, Tenant
from ffapi_site.database.sealing import SealerConnection
from tests.audit.world import at_work, exported, lines, verified, write
from tests.factories import TenantFactory, UserFactory
from tests.harness.superuser import superuser


def kept(tenant: Tenant) -> list[int | None]:
    rows = AuditRecord.objects.filter(tenant=tenant, seq__isnull=False)
    return list(rows.order_by("seq").values_list("seq", flat=True))


def test_a_cut_is_signed_for(
    thirty: None, tenant: Tenant, auditor: Client, sealer: Sealing, tmp_path: Path
) -> None:
    before = AuditRecord.objects.get(tenant=tenant, seq=25).at
    told = retention.cut(sealer.signer, tenant.pk, before, [])
    assert told is not None
    assert (told["statement"]["first_seq"], told["statement"]["seq"]) == (1, 20)
    assert kept(tenant) == list(range(21, 31))
    with at_work(sealer):
        folder = exported(auditor, tmp_path / "bundle")
    status, said = verified(folder)
    assert (status, "records 21 to 32" in said) == (0, True), said
    assert [each["event_type"] for each in lines(folder / "records.jsonl")[-2:]] == [
        "audit.cut",
        "audit.exported",
    ]
    call_command("audit", "verify", stdout=StringIO())


def test_a_chain_goes_on_after_everything_was_cut(
    thirty: None, tenant: Tenant, connection: SealerConnection
) -> None:
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    call_command("audit", "cut", before=tomorrow, tenant=tenant.name)
    assert kept(tenant) == []
    again = Sealing(connection)
    assert again.troubles == {}
    again.step()
    # The cut is itself a record, the first that is left.
    assert kept(tenant) == [31]
    call_command("audit", "verify", stdout=StringIO())


def test_nothing_is_cut_that_has_no_checkpoint(tenant: Tenant, sealer: Sealing) -> None:
    sealer.step()
    write(tenant, 3)
    sealer.step()
    assert retention.cut(sealer.signer, tenant.pk, timezone.now(), []) is None
    assert kept(tenant) == [1, 2, 3]


def test_nothing_is_cut_that_was_not_forwarded(
    thirty: None, tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    place = AuditRecord.objects.get(tenant=tenant, seq=15).place
    connection.execute(
        "INSERT INTO accounts_auditforwarding (target, place, failure) VALUES ('t', %s, '')",
        [place],
    )
    retention.cut(sealer.signer, tenant.pk, timezone.now(), ["t"])
    assert kept(tenant) == list(range(11, 31))


def sealed_days_ago(connection: SealerConnection, days: int, *tenants: Tenant) -> None:
    for tenant in tenants:
        write(tenant, 2)
    with superuser() as cursor:
        cursor.execute(
            "UPDATE accounts_auditrecord SET at = now() - %s * interval '1 day' WHERE seq IS NULL",
            [days],
        )
    Sealing(connection).step()


def test_retention_is_kept_by_the_sealer(
    tenant: Tenant, connection: SealerConnection, settings: Settings
) -> None:
    settings.AUDIT_RETENTION_DAYS = 30
    for days in (40, 20, 0):
        sealed_days_ago(connection, days, tenant)
    Sealing(connection).step()
    assert kept(tenant)[:4] == [3, 4, 5, 6]
    cut = AuditCheckpoint.objects.get(tenant=tenant, kind="cut")
    assert cut.envelope["statement"]["seq"] == 2


def test_a_large_cut_is_made_in_steps_between_which_records_are_sealed(
    tenant: Tenant,
    connection: SealerConnection,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R30: each of them says that the sealer goes on; one of hours would be killed every time."""
    for _ in range(6):
        sealed_days_ago(connection, 40, tenant)
    sealed_days_ago(connection, 0, tenant)
    settings.AUDIT_RETENTION_DAYS = 30
    monkeypatch.setattr(retention, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(sealer_module, "_CHORES_WITHIN_S", 0)
    gone_on: list[int] = []
    sealer = Sealing(connection, go_on=lambda: gone_on.append(len(kept(tenant))))
    left = []
    for _ in range(20):
        write(tenant)
        has_more = sealer.step()
        assert not AuditRecord.objects.filter(event_type="job.created", seq=None).exists()
        left.append(min(each or 0 for each in kept(tenant)))
        if not has_more:
            break
    assert sorted(set(left)) == [1, 5, 9, 13]
    assert len(gone_on) > len(set(left))
    cuts = AuditCheckpoint.objects.filter(tenant=tenant, kind="cut").order_by("number")
    assert [each.envelope["statement"]["seq"] for each in cuts] == [4, 8, 12]
    call_command("audit", "verify", stdout=StringIO())


def test_more_than_is_cut_at_once_goes_with_its_only_checkpoint(
    thirty: None, tenant: Tenant, sealer: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_AT_ONCE", 3)
    tomorrow = timezone.now() + timedelta(days=1)
    ends = []
    while told := retention.cut(sealer.signer, tenant.pk, tomorrow, []):
        ends.append(told["statement"]["seq"])
    assert ends == [10, 20, 30]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("accounts_auditrecord SET outcome = 'denied' WHERE seq = 5", "record 5 "),
        (
            f"accounts_auditrecord SET details = '{'[' * 9000 + ']' * 9000}' WHERE seq = 5",
            "a record to 20 can't be read",
        ),
        (
            """accounts_auditcheckpoint SET envelope =
            envelope || '{"signature": "00"}' WHERE true""",
            "the checkpoint of record 20 is not signed by key",
        ),
        (
            "accounts_auditcheckpoint SET envelope = envelope #- '{statement,at}' WHERE true",
            "the checkpoint of record 20 is none",
        ),
    ],
    ids=["edited", "unreadable", "not signed", "no checkpoint"],
)
def test_nothing_is_cut_that_was_rewritten(
    thirty: None, tenant: Tenant, sealer: Sealing, change: str, said: str
) -> None:
    """A cut would hide it for ever."""
    with superuser() as cursor:
        cursor.execute(f"UPDATE {change} AND tenant_id = '{tenant.pk}'")
    assert_nothing_is_cut(tenant, sealer, said)


@pytest.mark.parametrize(
    ("gone", "said"), [([5], "record 5 "), ([1, 2, 3, 4], "what was before record 5 is gone")]
)
def test_nothing_is_cut_where_records_are_gone(
    thirty: None, tenant: Tenant, sealer: Sealing, gone: list[int], said: str
) -> None:
    with superuser() as cursor:
        cursor.execute(
            "DELETE FROM accounts_auditrecord WHERE seq = ANY (%s) AND tenant_id = %s",
            [gone, tenant.pk],
        )
    assert_nothing_is_cut(tenant, sealer, said)


def assert_nothing_is_cut(tenant: Tenant, sealer: Sealing, said: str) -> None:
    before, left = AuditRecord.objects.get(tenant=tenant, seq=25).at, kept(tenant)
    with pytest.raises(Rewritten, match=f"^rewritten: .*{said}"):
        retention.cut(sealer.signer, tenant.pk, before, [])
    assert kept(tenant) == left
    assert not AuditCheckpoint.objects.filter(kind="cut").exists()


def test_a_rewritten_chain_is_not_cut_and_stops_no_other(
    tenant: Tenant, connection: SealerConnection, settings: Settings
) -> None:
    other = TenantFactory.create()
    for days in (40, 20):
        sealed_days_ago(connection, days, tenant, other)
    with superuser() as cursor:
        cursor.execute(
            "UPDATE accounts_auditrecord SET outcome = 'denied' WHERE seq = 2 AND tenant_id = %s",
            [tenant.pk],
        )
    settings.AUDIT_RETENTION_DAYS = 30
    again = Sealing(connection)
    again.step()
    assert (kept(tenant), kept(other)) == ([1, 2, 3, 4], [3, 4])
    assert "record 2 " in again.troubles[tenant.pk]


def test_a_wrong_date_is_refused(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="--before is 'soon'"):
        call_command("audit", "cut", before="soon")


# -- Erasure


def test_a_person_is_erased_and_the_chain_holds(
    tenant: Tenant, auditor: Client, sealer: Sealing, tmp_path: Path
) -> None:
    person = UserFactory.create(username="ada", email="ada@example.org")
    with actor.acting(Actor(Kind.USER, str(person.pk), "ada", "192.0.2.7", "curl", "req_1")):
        write(tenant, 2)
    audit.record(AuditEvent.INVITATION_MADE, tenant.pk, personal={"email": "ada@example.org"})
    audit.record(AuditEvent.INVITATION_MADE, tenant.pk, personal={"email": "bob@example.org"})
    sealer.step()
    said = StringIO()
    call_command("audit", "erase", "--person", "ada", stdout=said)
    assert "3 records no longer hold personal data" in said.getvalue()
    with at_work(sealer):
        folder = exported(auditor, tmp_path / "bundle")
    assert verified(folder)[0] == 0
    text = (folder / "records.jsonl").read_text()
    assert "192.0.2.7" not in text
    assert '"ada' not in text
    assert "bob@example.org" in text
    erased = lines(folder / "records.jsonl")[0]
    assert (erased["personal"], erased["salt"]) == (None, None)
    assert erased["actor"]["id"] == str(person.pk)


def test_an_address_is_erased(tenant: Tenant, sealer: Sealing) -> None:
    for address in ("192.0.2.7", "192.0.2.8"):
        with actor.acting(Actor(Kind.ANONYMOUS, ip_address=address)):
            audit.record(AuditEvent.REQUEST_DENIED, tenant.pk)
    sealer.step()
    call_command("audit", "erase", "--address", "192.0.2.7", stdout=StringIO())
    told = AuditRecord.objects.filter(event_type="request.denied").order_by("seq")
    assert [record.personal for record in told] == [None, {"ip_address": "192.0.2.8"}]
    erased = AuditRecord.objects.get(event_type="audit.erased")
    assert (erased.tenant_id, erased.details) == (tenant.pk, {"records": 1, "by": "address"})


@pytest.fixture
def erased(tenant: Tenant, connection: SealerConnection, sealer: Sealing) -> None:
    """Six records, of which the third and the fourth no longer hold an address."""
    write(tenant, 2)
    with actor.acting(Actor(Kind.ANONYMOUS, ip_address="192.0.2.7")):
        write(tenant, 2)
    write(tenant, 2)
    sealer.step()
    assert erasure.of_address(connection, "192.0.2.7") == 2


@pytest.mark.parametrize(
    ("seq", "named"), [(2, "record 2 (audit_"), (5, "record 3 (audit_"), (8, "record 8 (audit_")]
)
def test_what_no_erasure_tells_of_is_found(  # noqa: PLR0917 -- fixtures
    erased: None,
    tenant: Tenant,
    auditor: Client,
    sealer: Sealing,
    tmp_path: Path,
    seq: int,
    named: str,
) -> None:
    """An erasure says how many records it was about: these are found to be three, not two."""
    write(tenant)
    sealer.step()
    with superuser() as cursor:
        cursor.execute(
            "UPDATE accounts_auditrecord SET personal = NULL, salt = NULL WHERE seq = %s"
            " AND tenant_id = %s",
            [seq, tenant.pk],
        )
    said = StringIO()
    with pytest.raises(CommandError, match="1 chains do not hold"):
        call_command("audit", "verify", stdout=StringIO(), stderr=said)
    assert f"BAD: {named}" in said.getvalue()
    with at_work(sealer):
        folder = exported(auditor, tmp_path / "bundle")
    status, told = verified(folder)
    assert (status, f"NOT VERIFIED: {named}" in told) == (1, True), told
    assert "lost its personal data, and no erasure tells of that" in told


def test_an_erasure_may_tell_of_what_was_exported_without_it(
    erased: None, tenant: Tenant, auditor: Client, sealer: Sealing, tmp_path: Path
) -> None:
    call_command("audit", "verify", stdout=StringIO())  # the erasure itself is not sealed yet
    end = AuditRecord.objects.get(tenant=tenant, seq=6).at.isoformat()
    with at_work(sealer):
        part = exported(auditor, tmp_path / "part", end=end)
    status, told = verified(part)
    assert (status, "records 1 to 5" in told) == (0, True), told


def test_what_is_not_sealed_yet_is_told(
    tenant: Tenant, connection: SealerConnection, sealer: Sealing
) -> None:
    sealer.step()
    write(tenant, 2)
    assert records.unsealed_count(connection) == 2
    assert erasure.of_address(connection, "192.0.2.7") == 0


# -- Forwarding


def test_records_go_to_a_file_each_once(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection, tmp_path: Path
) -> None:
    target = f"file:{tmp_path / 'log' / 'audit.jsonl'}"
    write(tenant)
    sealer.step()
    assert forwarding.forward(connection, target) == 0  # it begins with what comes
    write(tenant, 3)
    sealer.step()
    assert forwarding.forward(connection, target) == 3
    assert forwarding.forward(connection, target) == 0
    told = [
        json.loads(line) for line in (tmp_path / "log" / "audit.jsonl").read_text().splitlines()
    ]
    assert [each["seq"] for each in told] == [2, 3, 4]
    assert "salt" not in told[0]


def test_a_torn_line_swallows_no_record(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection, tmp_path: Path
) -> None:
    """The process died in the middle of a line, before it noted how far it had come."""
    file = tmp_path / "audit.jsonl"
    target = f"file:{file}"
    sealer.step()
    forwarding.forward(connection, target)
    file.write_text('{"seq": 1, "hash": "0')
    write(tenant, 2)
    sealer.step()
    forwarding.forward(connection, target)
    torn, *whole = file.read_text().splitlines()
    assert torn == '{"seq": 1, "hash": "0'
    assert [json.loads(line)["seq"] for line in whole] == [1, 2]
