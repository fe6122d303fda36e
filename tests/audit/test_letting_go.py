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
from accounts.audit_chain import erasure, forwarding, retention
from accounts.audit_chain.sealer import Sealing
from accounts.events import Event
from accounts.models import AuditCheckpoint, AuditRecord, Tenant
from ffapi_site.database.sealing import SealerConnection
from tests.audit.conftest import write
from tests.audit.world import at_work, exported, lines, superuser, verified
from tests.factories import UserFactory


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


def test_retention_is_kept_by_the_sealer(
    tenant: Tenant, connection: SealerConnection, settings: Settings
) -> None:
    settings.AUDIT_RETENTION_DAYS = 30
    for age_days in (40, 20, 0):
        write(tenant, 2)
        with superuser() as cursor:
            cursor.execute(
                "UPDATE accounts_auditrecord SET at = now() - %s * interval '1 day'"
                " WHERE seq IS NULL",
                [age_days],
            )
        Sealing(connection).step()
    Sealing(connection).step()
    assert kept(tenant)[:4] == [3, 4, 5, 6]
    cut = AuditCheckpoint.objects.get(tenant=tenant, kind="cut")
    assert cut.envelope["statement"]["seq"] == 2


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
    audit.record(Event.INVITATION_MADE, tenant.pk, personal={"email": "ada@example.org"})
    audit.record(Event.INVITATION_MADE, tenant.pk, personal={"email": "bob@example.org"})
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
            audit.record(Event.REQUEST_DENIED, tenant.pk)
    sealer.step()
    call_command("audit", "erase", "--address", "192.0.2.7", stdout=StringIO())
    told = AuditRecord.objects.filter(event_type="request.denied").order_by("seq")
    assert [record.personal for record in told] == [None, {"ip_address": "192.0.2.8"}]
    erased = AuditRecord.objects.get(event_type="audit.erased")
    assert (erased.tenant_id, erased.details) == (tenant.pk, {"records": 1, "by": "address"})


def test_what_is_not_sealed_yet_is_told(
    tenant: Tenant, connection: SealerConnection, sealer: Sealing
) -> None:
    sealer.step()
    write(tenant, 2)
    assert erasure.unsealed(connection) == 2
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
