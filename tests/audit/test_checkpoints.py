"""Checkpoints in time, in the file beside the database, and what they tell after a restore."""

from __future__ import annotations

import json
import re
import threading
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts.audit_chain import rollback, sealer, signing_key
from accounts.audit_chain.checkpoint_file import CheckpointFile
from accounts.audit_chain.record import content
from accounts.audit_chain.sealer import Sealing
from accounts.audit_chain.signing_key import KeyTrouble
from accounts.audit_chain.verifier.digests import NOTHING, record_hash
from accounts.models import AuditCheckpoint, AuditRecord, AuditSealer, Tenant
from ffapi_site.database.sealing import SealerConnection
from tests.audit.world import at_work, exported, sign_often, verified, write
from tests.factories import TenantFactory
from tests.harness.superuser import superuser


def numbers(tenant: Tenant | None) -> list[int]:
    rows = AuditCheckpoint.objects.filter(tenant=tenant)
    return list(rows.order_by("number").values_list("number", flat=True))


def test_it_works(tenant: Tenant, sealer: Sealing) -> None:
    write(tenant, 3)
    sealer.step()
    stored = AuditCheckpoint.objects.get(tenant=tenant)
    told = stored.envelope["statement"]
    assert (told["number"], told["first_seq"], told["seq"]) == (1, 1, 3)
    assert told["hash"] == AuditRecord.objects.get(tenant=tenant, seq=3).hash
    assert CheckpointFile().of(tenant.pk) == [stored.envelope]


def test_a_thousand_records_are_signed_for_at_once(tenant: Tenant, sealer: Sealing) -> None:
    sealer.step()
    write(tenant, 999)
    sealer.step()
    assert numbers(tenant) == []
    write(tenant)
    sealer.step()
    assert numbers(tenant) == [1]


def test_after_a_minute_whatever_there_is_is_signed_for(
    tenant: Tenant, sealer: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer.step()
    write(tenant)
    sealer.step()
    assert numbers(tenant) == []
    monkeypatch.setattr("accounts.audit_chain.sealer.CHECKPOINT_EVERY_S", 0)
    sealer.step()
    sealer.step()
    assert numbers(tenant) == [1]


def test_a_quiet_chain_is_signed_for_daily(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    write(tenant)
    sealer.step()
    Sealing(connection).step()
    assert numbers(tenant) == [1]
    with superuser() as cursor:
        cursor.execute("UPDATE accounts_auditcheckpoint SET at = at - interval '25 hours'")
    Sealing(connection).step()
    assert numbers(tenant) == [1, 2]


def test_the_file_catches_up(tenant: Tenant, sealer: Sealing, connection: SealerConnection) -> None:
    """The process died after the database had the checkpoint, in the middle of a line."""
    sign_often(tenant, sealer, times=3, records=1)
    file = CheckpointFile()
    whole = file.path.read_text()
    file.path.write_text(whole[:-40])
    assert Sealing(connection).troubles == {}
    assert [each["statement"]["number"] for each in file.of(tenant.pk)] == numbers(tenant)


def roll_back(*, to_seq: int, to_number: int) -> None:
    """Put an older database in place; the file beside it is not older."""
    with superuser() as cursor:
        cursor.execute("DELETE FROM accounts_auditrecord WHERE seq > %s", [to_seq])
        cursor.execute("DELETE FROM accounts_auditcheckpoint WHERE number > %s", [to_number])


@pytest.fixture
def rolled_back(tenant: Tenant, sealer: Sealing) -> None:
    """The database is one of before the last two checkpoints."""
    sign_often(tenant, sealer, times=4)
    roll_back(to_seq=10, to_number=3)


def test_a_restored_backup_is_told_and_not_sealed_over(
    rolled_back: None, tenant: Tenant, connection: SealerConnection
) -> None:
    other = TenantFactory.create()
    write(tenant, 3)
    write(other, 3)
    again = Sealing(connection)
    assert "rolled back after checkpoint 3: checkpoint 5 was signed" in again.troubles[tenant.pk]
    again.step()
    assert AuditRecord.objects.filter(tenant=tenant, seq=None).count() == 3
    assert AuditRecord.objects.filter(tenant=other, seq=None).count() == 0
    assert AuditSealer.objects.get().troubles[0]["chain"] == tenant.pk
    with pytest.raises(CommandError, match="1 chains do not hold"):
        call_command("audit", "verify")


def test_a_kept_checkpoint_shows_the_rollback(
    rolled_back: None,
    tenant: Tenant,
    auditor: Client,
    connection: SealerConnection,
    tmp_path: Path,
) -> None:
    careless = Sealing(connection)
    careless.step()
    careless.troubles = {}
    with at_work(careless):
        folder = exported(auditor, tmp_path / "bundle")
    kept = CheckpointFile().of(tenant.pk)[:5]
    (tmp_path / "kept.jsonl").write_text("".join(json.dumps(each) + "\n" for each in kept))
    status, told = verified(folder, "--checkpoint", str(tmp_path / "kept.jsonl"))
    assert status == 1
    assert "checkpoint 5 that was kept covers records to 20" in told


def test_the_chain_goes_on_once_the_loss_is_acknowledged(
    rolled_back: None,
    tenant: Tenant,
    auditor: Client,
    connection: SealerConnection,
    tmp_path: Path,
) -> None:
    call_command("audit", "accept-rollback", tenant=tenant.name, reason="disk failure")
    again = Sealing(connection)
    assert again.troubles == {}
    write(tenant, 4)
    with at_work(again):
        folder = exported(auditor, tmp_path / "bundle")
    status, told = verified(folder)
    assert (status, "NOTE: rolled back at" in told) == (0, True), told
    assert "records 11 to 20 at least were lost, as checkpoint 6 says" in told
    lost = CheckpointFile().of(tenant.pk)[4]
    (tmp_path / "kept.jsonl").write_text(json.dumps(lost))
    status, told = verified(folder, "--checkpoint", str(tmp_path / "kept.jsonl"))
    assert (status, "covers records that were rolled back since" in told) == (1, True)
    call_command("audit", "verify")
    with pytest.raises(CommandError, match="nothing of this chain is missing"):
        call_command("audit", "accept-rollback", tenant=tenant.name, reason="again")


def lost(tenant: Tenant, connection: SealerConnection) -> list[str]:
    """What is told of a chain's rollbacks, once the last one is accepted."""
    call_command("audit", "accept-rollback", tenant=tenant.name, reason="disk failure")
    said = StringIO()
    call_command("audit", "verify", stdout=said)
    return re.findall(r"note: rolled back at [^ ]+: (.*), as checkpoint", said.getvalue())


def test_a_second_rollback_tells_of_what_was_lost_since_the_first(
    rolled_back: None, tenant: Tenant, connection: SealerConnection
) -> None:
    first = "records 11 to 20 at least were lost"
    assert lost(tenant, connection) == [first]
    sign_often(tenant, Sealing(connection), times=1, records=3)
    roll_back(to_seq=12, to_number=6)
    # Record 11 tells of the first rollback.
    assert lost(tenant, connection) == [first, "records 13 to 14 at least were lost"]


def test_what_no_checkpoint_covers_is_lost_without_a_number(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    """The backup is of between the last record that was signed for and its checkpoint."""
    sign_often(tenant, sealer, times=2)
    roll_back(to_seq=10, to_number=2)
    assert lost(tenant, connection) == ["what came after record 10 was lost, how much is not known"]


def test_records_that_vanish_are_missed_at_the_next_start(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    write(tenant, 5)
    sealer.step()
    with superuser() as cursor:
        cursor.execute("DELETE FROM accounts_auditrecord WHERE seq > 3 AND tenant_id IS NOT NULL")
    told = rollback.reconcile(connection, CheckpointFile())
    assert told[tenant.pk] == "records to 5 are gone, which checkpoint 1 covers"


def rehashed(tenant: Tenant) -> None:
    """Write the whole chain anew in the database, without the key: its checkpoints go."""
    with superuser() as cursor:
        cursor.execute("DELETE FROM accounts_auditcheckpoint WHERE tenant_id = %s", [tenant.pk])
        before = NOTHING
        rows = AuditRecord.objects.filter(tenant=tenant, seq__isnull=False).order_by("seq")
        for row in map(dict, rows.values()):
            row["outcome"], row["prev_hash"] = "denied", before
            before = record_hash(before, content(row))
            cursor.execute(
                "UPDATE accounts_auditrecord SET outcome = 'denied', prev_hash = %s, hash = %s"
                " WHERE id = %s",
                [row["prev_hash"], before, row["id"]],
            )


def assert_a_rewrite_is_noticed(tenant: Tenant, sealer: Sealing) -> None:
    write(tenant, 5)
    sealer.step()
    rehashed(tenant)
    sealer.sign(tenant.pk)
    assert "rewritten: record 1, or one after it" in sealer.troubles[tenant.pk]


def test_a_chain_that_was_rewritten_is_not_signed(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    sign_often(tenant, sealer, times=2)
    assert_a_rewrite_is_noticed(tenant, sealer)
    assert numbers(tenant) == []
    # Another process knows nothing of what was sealed; the file does.
    again = Sealing(connection)
    assert "rolled back after checkpoint 0" in again.troubles[tenant.pk]
    again.sign(tenant.pk)
    assert numbers(tenant) == []


def test_records_are_compared_with_those_that_were_sealed(tenant: Tenant, sealer: Sealing) -> None:
    sealer.step()
    assert_a_rewrite_is_noticed(tenant, sealer)


def test_the_file_must_not_contradict_itself(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    """Whichever line comes last: the highest number counts, and each number once."""
    sign_often(tenant, sealer, times=2)
    first, second = CheckpointFile().of(tenant.pk)[-2:]
    CheckpointFile().append([first])
    assert CheckpointFile().last()[tenant.pk] == second
    assert Sealing(connection).troubles == {}
    CheckpointFile().append([sealer.signer.key.sign(first["statement"] | {"hash": "0" * 64})])
    told = Sealing(connection).troubles[tenant.pk]
    assert f"two different checkpoints {first['statement']['number']} were signed" in told
    with pytest.raises(CommandError, match="two different checkpoints"):
        call_command("audit", "accept-rollback", tenant=tenant.name, reason="a mistake")


# -- The key


def test_the_key_is_its_owners_alone(sealer: Sealing) -> None:
    assert signing_key.key_file().stat().st_mode & 0o777 == 0o600


def test_without_its_key_nothing_is_sealed(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    """A new key would be a new beginning that nobody asked for."""
    signing_key.key_file().unlink()
    with pytest.raises(KeyTrouble, match="no signing key"):
        Sealing(connection)
    signing_key.SigningKey.make(signing_key.key_file())
    with pytest.raises(KeyTrouble, match="the one in use is"):
        Sealing(connection)


def test_a_sealer_with_the_old_key_stops(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    call_command("audit", "key", rotate=True)
    with pytest.raises(KeyTrouble, match="no longer the one in use"):
        sealer.step()
    assert Sealing(connection).signer.key.key_id != sealer.signer.key.key_id


def test_a_rotation_that_was_cut_short_is_finished(
    sealer: Sealing, connection: SealerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            signing_key.rotate(connection)
    assert Sealing(connection).signer.key.key_id == signing_key.current_id(connection)


def test_its_troubles_are_told_by_health(
    rolled_back: None, connection: SealerConnection, staff_client: Client
) -> None:
    Sealing(connection).step()
    told = staff_client.get("/health/detailed").json()["components"]["audit"]
    assert told["status"] == "warning"
    assert "rolled back after checkpoint 3" in told["warning"]


def test_an_embedded_server_s_protection_is_reduced(
    sealer: Sealing, staff_client: Client, settings: Settings
) -> None:
    sealer.step()
    for settings.EMBEDDED_DATABASE, mode in ((True, "reduced"), (False, "separate role")):
        told = staff_client.get("/health/detailed").json()["components"]["audit"]
        assert told["mode"] == mode


def test_silence_is_told_by_health(tenant: Tenant, sealer: Sealing, staff_client: Client) -> None:
    write(tenant)
    sealer.step()
    told = staff_client.get("/health/detailed").json()["components"]["audit"]
    assert told["status"] == "ok"
    assert "warning" not in told
    write(tenant)
    with superuser() as cursor:
        cursor.execute("UPDATE accounts_auditrecord SET at = at - interval '2 minutes'")
        cursor.execute(
            "UPDATE accounts_auditsealer SET heartbeat_at = now() - interval '2 minutes'"
        )
    told = staff_client.get("/health/detailed").json()["components"]["audit"]
    assert "the sealer is silent" in told["warning"]
    assert "the oldest unsealed record is 12" in told["warning"]


def test_run_ends_when_told(transactional_db: None) -> None:
    stop = threading.Event()
    work = threading.Thread(target=sealer.run, args=(stop,))
    work.start()
    for _ in range(200):
        if AuditSealer.objects.exists():
            break
        stop.wait(0.05)
    stop.set()
    work.join(10)
    assert not work.is_alive()
    assert AuditSealer.objects.exists()
