"""An export that an auditor checks alone: what was tampered with is found, by its record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection as site_connection
from django.test import Client

from accounts.audit_chain import signing_key
from accounts.audit_chain.sealer import Sealing
from accounts.audit_chain.verifier.digests import NOTHING, record_hash
from accounts.audit_chain.verifier.form import NEEDED, SEALED
from accounts.models import AuditRecord, AuditSignature, Tenant
from ffapi_site.database.sealing import SealerConnection
from tests.audit.world import (
    at_work,
    exported,
    fit_manifest,
    lines,
    own_fingerprint,
    put,
    rotated,
    sign_last_checkpoint,
    signed_anew,
    verified,
)
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.superuser import superuser


def test_it_works(
    thirty: None, auditor: Client, sealer: Sealing, tenant: Tenant, tmp_path: Path
) -> None:
    with at_work(sealer):
        bundle = exported(auditor, tmp_path / "bundle")
    status, told = verified(bundle, "--fingerprint", own_fingerprint())
    assert (status, told.splitlines()[-1]) == (0, "VERIFIED")
    assert f"tenant {tenant.pk}, made at" in told
    assert "records 1 to 31, 4 checkpoints" in told
    last = lines(bundle / "records.jsonl")[-1]
    # The export is itself a record, and part of itself.
    assert (last["seq"], last["event_type"]) == (31, "audit.exported")
    assert last["actor"]["type"] == "api_key"
    names = {path.name for path in bundle.iterdir()}
    assert names == {
        "records.jsonl",
        "checkpoints.jsonl",
        "manifest.json",
        "verify.py",
        "README.txt",
    }
    assert not AuditSignature.objects.exists()


def test_a_part_is_whole_in_itself(
    thirty: None, auditor: Client, sealer: Sealing, tenant: Tenant, tmp_path: Path
) -> None:
    times = dict(AuditRecord.objects.filter(tenant=tenant).values_list("seq", "at"))
    stretch = {"start": times[8].isoformat(), "end": times[24].isoformat()}
    with at_work(sealer):
        part = exported(auditor, tmp_path / "part", **stretch)
    status, told = verified(part, "--fingerprint", own_fingerprint())
    assert (status, "records 8 to 23, 4 checkpoints" in told) == (0, True), told


def test_another_key_than_the_known_one_is_refused(bundle: Path) -> None:
    status, told = verified(bundle, "--fingerprint", "0" * 64)
    assert (status, "no key of this log has the fingerprint" in told) == (1, True)


# -- Somebody changes the files


def edit(record: dict[str, Any]) -> None:
    record["outcome"] = "failure"


def other_details(record: dict[str, Any]) -> None:
    record["details"] = {"at": 7}


def other_person(record: dict[str, Any]) -> None:
    record["personal"] = {"name": "mallory"}


def nobody(record: dict[str, Any]) -> None:
    record["personal"] = record["salt"] = None


def added_field(record: dict[str, Any]) -> None:
    record["note"] = "nothing to see"


def rehashed(record: dict[str, Any]) -> None:
    record["outcome"] = "failure"
    content = {name: record[name] for name in SEALED}
    record["hash"] = record_hash(record["prev_hash"], content)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        *((edit, 17), (other_details, 17), (other_person, 17), (nobody, 17), (added_field, 17)),
        (rehashed, 18),
    ],
)
def test_an_edited_record_is_named(
    bundle: Path, change: Callable[[dict[str, Any]], None], named: int
) -> None:
    records = lines(bundle / "records.jsonl")
    change(records[16])
    put(bundle / "records.jsonl", records)
    status, told = verified(bundle)
    assert status == 1
    assert told.splitlines()[-1].startswith(f"NOT VERIFIED: record {named} (audit_")


def deleted(records: list[dict[str, Any]]) -> int:
    del records[16]
    return 17


def swapped(records: list[dict[str, Any]]) -> int:
    records[16], records[17] = records[17], records[16]
    return 17


def doubled(records: list[dict[str, Any]]) -> int:
    records.insert(17, records[16])
    return 18


def cut_off(records: list[dict[str, Any]]) -> int:
    del records[20:]
    return 21


def of_another_tenant(records: list[dict[str, Any]]) -> int:
    records[16]["tenant"] = "tenant_00000000000000000000000000"
    return 17


@pytest.mark.parametrize("change", [deleted, swapped, doubled, cut_off, of_another_tenant])
def test_another_row_of_records_is_named(
    bundle: Path, change: Callable[[list[dict[str, Any]]], int]
) -> None:
    records = lines(bundle / "records.jsonl")
    named = change(records)
    put(bundle / "records.jsonl", records)
    status, told = verified(bundle)
    assert (status, f"NOT VERIFIED: record {named} " in told) == (1, True), told


def rewrite(records: list[dict[str, Any]], place: int) -> None:
    """Change one record and make the chain hold again from there on."""
    records[place]["outcome"] = "failure"
    for at in range(place, len(records)):
        record = records[at]
        record["prev_hash"] = records[at - 1]["hash"] if at else NOTHING
        content = {name: record[name] for name in SEALED}
        record["hash"] = record_hash(record["prev_hash"], content)


def test_a_rewritten_chain_is_found_by_the_checkpoints(bundle: Path) -> None:
    records = lines(bundle / "records.jsonl")
    rewrite(records, 16)
    put(bundle / "records.jsonl", records)
    status, told = verified(bundle)
    assert status == 1
    assert "NOT VERIFIED: record 11, or one after it to 20, is not the one that" in told


def test_a_forged_manifest_is_found(bundle: Path) -> None:
    records = lines(bundle / "records.jsonl")[:20]
    put(bundle / "records.jsonl", records)
    put(bundle / "checkpoints.jsonl", lines(bundle / "checkpoints.jsonl")[:2])
    fit_manifest(bundle, last_seq=20, head_seq=20, last_hash=records[-1]["hash"], records=20)
    status, told = verified(bundle)
    assert (status, "NOT VERIFIED: the manifest is not signed by key" in told) == (1, True)


def test_a_bundle_of_another_tenant_is_found(bundle: Path) -> None:
    other = "tenant_00000000000000000000000000"
    records = lines(bundle / "records.jsonl")
    for record in records:
        record["tenant"] = other
    rewrite(records, 0)
    put(bundle / "records.jsonl", records)
    fit_manifest(bundle, tenant=other, last_hash=records[-1]["hash"])
    status, told = verified(bundle)
    assert status == 1
    assert "the manifest is not signed" in told
    assert "checkpoint 1 is of the tenant" in told
    assert "NOT VERIFIED: record 1, or one after it to 10, is not the one" in told


@pytest.mark.parametrize("content", ["", "{", "[]", '{"statement": {}}', "null"])
def test_what_can_t_be_read_is_not_verified(bundle: Path, content: str) -> None:
    (bundle / "manifest.json").write_text(content)
    status, told = verified(bundle)
    assert (status, "NOT VERIFIED: this can't be read" in told) == (2, True)


@pytest.mark.parametrize("line", ["", "{}", "[]", "7", '{"seq": 17}', "\x00"])
def test_a_line_that_can_t_be_read_is_named(bundle: Path, line: str) -> None:
    path = bundle / "records.jsonl"
    written = path.read_text().splitlines()
    written[16] = line
    path.write_text("\n".join(written))
    status, told = verified(bundle)
    assert (status, "NOT VERIFIED: record 17 (" in told) == (1, True), told


# -- Somebody changes the database, past grants and triggers, before the export


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            "UPDATE accounts_auditrecord SET outcome = 'denied' WHERE seq = 17 AND {own}",
            "record 17 ",
        ),
        ("UPDATE accounts_auditrecord SET at = now() WHERE seq = 17 AND {own}", "record 17 "),
        ("DELETE FROM accounts_auditrecord WHERE seq = 17 AND {own}", "record 17 "),
        (
            "UPDATE accounts_auditrecord SET seq = 35 - seq WHERE seq IN (17, 18) AND {own}",
            "record 17 ",
        ),
        (
            "UPDATE accounts_auditrecord SET personal = NULL, salt = NULL WHERE seq = 17 AND {own}",
            "record 17 ",
        ),
        ("DELETE FROM accounts_auditrecord WHERE seq > 24 AND {own}", "covers records to 30"),
    ],
    ids=["edit", "backdate", "delete", "swap", "take the person out", "cut the tail"],
)
def test_a_change_in_the_database_is_named(  # noqa: PLR0917 -- fixtures
    thirty: None,
    auditor: Client,
    connection: SealerConnection,
    tenant: Tenant,
    tmp_path: Path,
    change: str,
    named: str,
) -> None:
    with superuser() as cursor:
        cursor.execute("DROP INDEX IF EXISTS audit_seq_once")
        cursor.execute(change.format(own=f"tenant_id = '{tenant.pk}'"))
    careless = Sealing(connection)
    careless.troubles = {}  # it would not go on after the end was cut: as if it had not looked
    with at_work(careless):
        folder = exported(auditor, tmp_path / "bundle")
    status, told = verified(folder)
    assert (status, named in told.splitlines()[-1]) == (1, True), told
    with superuser() as cursor:
        cursor.execute("DELETE FROM accounts_auditrecord")
        cursor.execute(
            "CREATE UNIQUE INDEX audit_seq_once ON accounts_auditrecord (tenant_id, seq)"
            " NULLS NOT DISTINCT WHERE seq IS NOT NULL"
        )


def test_a_thief_of_the_key_is_found_by_a_kept_checkpoint(  # noqa: PLR0917 -- fixtures
    thirty: None,
    auditor: Client,
    sealer: Sealing,
    connection: SealerConnection,
    tenant: Tenant,
    tmp_path: Path,
) -> None:
    """Who has the database and the key can write all anew, but not what somebody else holds."""
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(auditor.get("/v1/audit-log/checkpoints/latest").content)
    with superuser() as cursor:
        cursor.execute("DELETE FROM accounts_auditcheckpoint")
        cursor.execute("DELETE FROM accounts_auditrecord WHERE seq = 17")
        cursor.execute(
            "UPDATE accounts_auditrecord SET seq = NULL, place = NULL, hash = NULL,"
            " prev_hash = NULL, personal_digest = NULL"
        )
    shutil.rmtree(settings.AUDIT_CHECKPOINT_DIR)
    thief = Sealing(connection)
    with at_work(thief):
        folder = exported(auditor, tmp_path / "bundle")
    assert verified(folder, "--fingerprint", own_fingerprint())[0] == 0
    status, told = verified(folder, "--checkpoint", str(kept))
    assert status == 1
    assert "checkpoint 4 that was kept" in told.splitlines()[-1]


# -- Keys


def test_a_new_key_goes_on_where_the_old_one_ended(
    thirty: None,
    auditor: Client,
    connection: SealerConnection,
    tenant: Tenant,
    tmp_path: Path,
) -> None:
    first = own_fingerprint()
    signing_key.rotate(connection)
    sealer = Sealing(connection)
    with at_work(sealer):
        folder = exported(auditor, tmp_path / "bundle")
    assert own_fingerprint() != first
    for known in (first, own_fingerprint()):
        assert verified(folder, "--fingerprint", known)[0] == 0
    told = auditor.get("/v1/audit-log/keys").json()["results"]
    assert [each["fingerprint"] for each in told] == [first, own_fingerprint()]
    assert told[1]["introduced_by"] == told[0]["key_id"]


def test_a_stale_key_is_found(
    thirty: None, auditor: Client, sealer: Sealing, tenant: Tenant, tmp_path: Path
) -> None:
    """The old key was stolen after it had been replaced."""
    stolen = sealer.signer.key
    with at_work(rotated(tenant, sealer)):
        folder = exported(auditor, tmp_path / "bundle")
    sign_last_checkpoint(folder, stolen)
    fit_manifest(folder)
    status, told = verified(folder)
    assert (status, f"with the stale key {stolen.key_id}" in told) == (1, True), told
    signed_anew(folder, stolen)
    status, told = verified(folder)
    assert (status, "the manifest is signed at" in told) == (1, True), told


def test_a_key_that_replaced_a_lost_one_has_no_voucher(
    thirty: None, auditor: Client, connection: SealerConnection, tmp_path: Path
) -> None:
    first = own_fingerprint()
    signing_key.key_file().unlink()
    signing_key.rotate(connection, is_lost=True)
    with at_work(Sealing(connection)):
        folder = exported(auditor, tmp_path / "bundle")
    status, told = verified(folder, "--fingerprint", first)
    assert (status, "does not vouch for the later ones" in told) == (1, True)
    assert verified(folder, "--fingerprint", own_fingerprint())[0] == 0


# -- What the sealer and the API refuse


def test_the_sealer_signs_only_what_it_finds(thirty: None, sealer: Sealing, tenant: Tenant) -> None:
    ends = (
        AuditRecord.objects.get(tenant=tenant, seq=5),
        AuditRecord.objects.get(tenant=tenant, seq=9),
    )
    claims: dict[str, Any] = {
        "first_seq": 5,
        "last_seq": 9,
        "first_prev_hash": ends[0].prev_hash,
        "last_hash": ends[1].hash,
        "records": 5,
        "files": dict.fromkeys(NEEDED, "0" * 64),
        "start": "2025-01-01T00:00:00+00:00",
    }
    lies: list[dict[str, Any]] = [
        {"last_hash": "0" * 64},
        {"first_prev_hash": "0" * 64},
        {"last_seq": 99},
        {"kind": "checkpoint"},
        {"keys": []},
        {"files": {}},
        {"records": 4},
        {"start": None},
    ]
    asked = [AuditSignature.objects.create(tenant=tenant, statement=claims | lie) for lie in lies]
    other = AuditSignature.objects.create(tenant=TenantFactory.create(), statement=claims)
    honest = AuditSignature.objects.create(tenant=tenant, statement=claims)
    sealer.step()
    for each in (*asked, other):
        each.refresh_from_db()
        assert (each.signature, bool(each.refusal)) == ("", True)
    honest.refresh_from_db()
    assert honest.signature


@pytest.mark.parametrize(
    "statement",
    ["7", "null", "{}", "[" * 3000 + "]" * 3000, '{"first_seq": "x"}'],
    ids=["a number", "null", "empty", "deep", "a part"],
)
def test_what_is_no_manifest_does_not_stop_the_sealer(
    thirty: None, sealer: Sealing, tenant: Tenant, statement: str
) -> None:
    with site_connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_auditsignature (id, tenant_id, statement, signature, refusal)"
            " VALUES ('signature_1', %s, %s, '', '')",
            [tenant.pk, statement],
        )
    sealer.step()
    assert AuditSignature.objects.exclude(refusal="").filter(signature="").count() == 1


@pytest.mark.parametrize(
    "lie", [{"first_seq": "x"}, {"last_seq": 10**30}, {"records": True}, {"start": 7}]
)
def test_a_manifest_of_other_types_is_refused(
    thirty: None, sealer: Sealing, tenant: Tenant, lie: dict[str, Any]
) -> None:
    claims = {"first_seq": 1, "last_seq": 1, "first_prev_hash": NOTHING, "records": 1}
    claims |= {"last_hash": AuditRecord.objects.get(tenant=tenant, seq=1).hash, "start": None}
    claims |= {"files": dict.fromkeys(NEEDED, "0" * 64)}
    asked = AuditSignature.objects.create(tenant=tenant, statement=claims | lie)
    sealer.step()
    asked.refresh_from_db()
    assert (asked.signature, asked.refusal) == ("", "not a manifest")


def test_without_a_sealer_there_is_no_bundle(
    thirty: None, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.audit_chain.bundle._PATIENCE_S", 0.1)
    response = auditor.get("/v1/audit-log/export?format=bundle")
    assert (response.status_code, response.json()["code"]) == (503, "sealer_away")
    assert response["Retry-After"] == "60"


def test_a_bundle_has_no_holes(thirty: None, auditor: Client) -> None:
    response = auditor.get("/v1/audit-log/export?format=bundle&event_type=job.created")
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "?format"


def test_another_tenant_gets_its_own(thirty: None, sealer: Sealing, tmp_path: Path) -> None:
    other = TenantFactory.create()
    with at_work(sealer):
        folder = exported(client_of(other, role="admin"), tmp_path / "other")
    assert [each["tenant"] for each in lines(folder / "records.jsonl")] == [other.pk]
    assert verified(folder)[0] == 0
