"""What somebody forges who has the files, his own key or a stolen one: it is never VERIFIED."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.audit_chain import bundled_verifier
from accounts.audit_chain.sealer import Sealing
from accounts.audit_chain.signing_key import SigningKey
from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.digests import NOTHING, digest
from accounts.models import AuditRecord, Tenant
from tests.audit.world import (
    at_work,
    exported,
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

EARLIER = "2020-01-01T00:00:00.000000Z"


def manifest_of(bundle: Path) -> Any:
    return json.loads((bundle / "manifest.json").read_text())["statement"]


def by(key: SigningKey, checkpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same checkpoints, signed long ago by another key."""
    made: list[dict[str, Any]] = []
    for each in checkpoints:
        prev = digest(canonical(made[-1]["statement"])) if made else NOTHING
        told = {"key_id": key.key_id, "at": EARLIER, "prev_checkpoint": prev}
        made.append(key.sign(each["statement"] | told))
    return made


# -- Keys


def test_a_stranger_s_key_before_the_real_one_is_found(bundle: Path, tmp_path: Path) -> None:
    own = SigningKey.make(tmp_path / "own.pem")
    told = {"v": 1, "kind": "key", "key_id": own.key_id, "public_key": own.public.hex()}
    mine = own.sign(told | {"previous": None, "at": "2019-01-01T00:00:00.000000Z"})
    put(bundle / "checkpoints.jsonl", by(own, lines(bundle / "checkpoints.jsonl")))
    keys = [mine, *manifest_of(bundle)["keys"]]
    signed_anew(bundle, own, keys=keys, at=EARLIER)
    status, told_of = verified(bundle, "--fingerprint", own_fingerprint())
    assert (status, "not with the last one it tells of" in told_of) == (1, True), told_of
    # Nor does it help to come after the real one.
    signed_anew(bundle, own, keys=[*manifest_of(bundle)["keys"][1:], mine])
    status, told_of = verified(bundle, "--fingerprint", own_fingerprint())
    assert (status, "does not vouch for the later ones" in told_of) == (1, True), told_of


def test_a_stolen_key_that_was_retired_signs_nothing(
    thirty: None, auditor: Client, sealer: Sealing, tenant: Tenant, tmp_path: Path
) -> None:
    stolen = sealer.signer.key
    with at_work(rotated(tenant, sealer)):
        folder = exported(auditor, tmp_path / "bundle")
    signed_anew(folder, stolen, at=EARLIER)
    status, told = verified(folder, "--fingerprint", own_fingerprint())
    assert (status, f"the manifest is signed with key {stolen.key_id}, not" in told) == (1, True)


def test_an_old_key_after_a_new_one_is_found(
    thirty: None, auditor: Client, sealer: Sealing, tenant: Tenant, tmp_path: Path
) -> None:
    """A checkpoint of after the rotation, dated back to before it."""
    later = rotated(tenant, sealer)
    with at_work(later):
        folder = exported(auditor, tmp_path / "bundle")
    sign_last_checkpoint(folder, sealer.signer.key, at=EARLIER)
    signed_anew(folder, later.signer.key)
    status, told = verified(folder)
    assert (status, "signed with an older key than the one before it" in told) == (1, True), told


# -- The beginning and the end


def truncated(bundle: Path, key: SigningKey, **claims: Any) -> None:
    """Leave out the first sixteen records."""
    records = lines(bundle / "records.jsonl")[16:]
    put(bundle / "records.jsonl", records)
    told = {"first_seq": 17, "first_prev_hash": records[0]["prev_hash"], "records": len(records)}
    signed_anew(bundle, key, **told, **claims)


def test_records_that_are_gone_from_the_beginning_are_missed(
    bundle: Path, key: SigningKey, tmp_path: Path
) -> None:
    truncated(bundle, key)
    status, told = verified(bundle)
    assert status == 1
    assert "NOT VERIFIED: records 1 to 16 are gone, and no signed cut tells of that" in told
    # A stretch of time may begin anywhere, and says so.
    truncated_again = {"start": "2025-01-01T00:00:00+00:00"}
    signed_anew(bundle, key, **truncated_again)
    put(tmp_path / "kept.jsonl", lines(bundle / "checkpoints.jsonl")[:1])
    status, told = verified(bundle, "--checkpoint", str(tmp_path / "kept.jsonl"))
    assert (status, "NOTE: only records from 2025-01-01" in told) == (0, True), told
    assert "NOTE: checkpoint 1 that was kept is about records before the first one here" in told


def test_records_after_the_last_one_are_found(bundle: Path, key: SigningKey) -> None:
    records = lines(bundle / "records.jsonl")
    more = {name: records[-1][name] for name in records[-1]} | {"seq": 32}
    put(bundle / "records.jsonl", [*records, more])
    signed_anew(bundle, key)
    status, told = verified(bundle)
    assert (status, "NOT VERIFIED: record 32 and what follows it were added" in told) == (1, True)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"files": {}}, "the manifest does not tell of records.jsonl"),
        ({"files": {"../x": "0"}}, "the manifest tells of ../x, which is no part"),
        ({"records": 7}, "the manifest tells of another number of records"),
    ],
)
def test_a_manifest_that_says_less_is_found(
    bundle: Path, key: SigningKey, claims: dict[str, Any], said: str
) -> None:
    statement = manifest_of(bundle) | claims
    (bundle / "manifest.json").write_text(json.dumps(key.sign(statement)))
    status, told = verified(bundle)
    assert (status, said in told) == (1, True), told


def test_the_sealer_signs_nothing_without_a_beginning(
    thirty: None, auditor: Client, sealer: Sealing, tenant: Tenant
) -> None:
    with superuser() as cursor:
        cursor.execute("DELETE FROM accounts_auditrecord WHERE seq < 17")
    with at_work(sealer):
        response = auditor.get("/v1/audit-log/export?format=bundle")
    assert response.status_code == 503
    assert "the record before 17 is gone, and no cut tells of that" in response.json()["detail"]


# -- Checkpoints that were kept


def test_a_kept_checkpoint_must_be_one_of_this_log(
    thirty: None, auditor: Client, sealer: Sealing, tmp_path: Path
) -> None:
    other = TenantFactory.create()
    with at_work(sealer):
        bundle = exported(auditor, tmp_path / "bundle")
        exported(client_of(other, role="admin"), tmp_path / "other")
    sealer.sign(other.pk)
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(client_of(other, role="admin").get("/v1/audit-log/checkpoints/latest").content)
    status, told = verified(bundle, "--checkpoint", str(kept))
    assert (status, f"that was kept is of the tenant {other.pk}" in told) == (1, True), told
    kept.write_text("")
    status, told = verified(bundle, "--checkpoint", str(kept))
    assert (status, "no checkpoint was kept: the file is empty" in told) == (1, True), told
    kept.write_text("{}\n")
    assert verified(bundle, "--checkpoint", str(kept))[0] == 1


# -- Files that mean something else, or nothing


def spoilt(line: str, name: str, value: str) -> str:
    """Put ``value`` in the place of a member's."""
    record = json.loads(line)
    told = canonical(record[name]).decode()
    return line.replace(f'"{name}":{told}', f'"{name}":{value}')


@pytest.mark.parametrize(
    "change",
    [
        lambda line: spoilt(line, "hash", "7"),
        lambda line: spoilt(line, "hash", '"zz"'),
        lambda line: spoilt(line, "prev_hash", "null"),
        lambda line: spoilt(line, "personal", "null"),
        lambda line: spoilt(line, "details", "NaN"),
        lambda line: spoilt(line, "details", "[" * 400 + "]" * 400),
        lambda line: spoilt(line, "details", "[" * 100_000),
        lambda line: line.replace('"hash"', '"hush"'),
        lambda line: line.replace('"outcome"', '"outcome":"failure","outcome"'),
        lambda line: line.replace('"outcome":', '"outcome": '),
        lambda line: line.replace('"outcome"', '"\\u006futcome"'),
        lambda line: line.replace("success", "succ\udcff"),
    ],
    ids=[
        *("hash 7", "hash zz", "no prev_hash", "no personal", "NaN", "deep", "deeper"),
        *("no hash", "twice", "a blank", "escaped", "not UTF-8"),
    ],
)
def test_a_record_that_reads_in_no_way_or_in_two_is_named(bundle: Path, change: Any) -> None:
    path = bundle / "records.jsonl"
    written = path.read_text().splitlines()
    changed = change(written[16])
    assert changed != written[16]
    written[16] = changed
    path.write_bytes("".join(f"{line}\n" for line in written).encode(errors="surrogateescape"))
    status, told = verified(bundle)
    assert (status, "NOT VERIFIED: record 17 (" in told) == (1, True), told


@pytest.mark.parametrize("line", ["7", "{}", '{"statement": {"kind": "rollback"}}', "\x00"])
def test_a_spoilt_checkpoint_hides_no_edit(bundle: Path, line: str) -> None:
    records = lines(bundle / "records.jsonl")
    records[16]["outcome"] = "failure"
    put(bundle / "records.jsonl", records)
    path = bundle / "checkpoints.jsonl"
    path.write_text(f"{line}\n" + path.read_text())
    status, told = verified(bundle)
    assert (status, "NOT VERIFIED: record 17 (audit_" in told) == (1, True), told
    assert "line 1, a checkpoint, can't be read" in told


def test_a_spoilt_manifest_hides_no_edit(bundle: Path) -> None:
    records = lines(bundle / "records.jsonl")
    records[16]["outcome"] = "failure"
    put(bundle / "records.jsonl", records)
    envelope = json.loads((bundle / "manifest.json").read_text())
    del envelope["statement"]["keys"]
    (bundle / "manifest.json").write_text(json.dumps(envelope))
    status, told = verified(bundle)
    assert (status, "NOT VERIFIED: record 17 (audit_" in told) == (1, True), told


@pytest.mark.parametrize("name", ["json", "hashlib", "__future__", "argparse", "re"])
def test_a_file_that_was_added_is_not_run(bundle: Path, name: str) -> None:
    (bundle / f"{name}.py").write_text("raise SystemExit('VERIFIED')")
    command = [sys.executable, "verify.py"]
    done = subprocess.run(command, cwd=bundle, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"NOTE: {name}.py is no part of the export" in done.stdout


def test_the_program_may_come_from_elsewhere(bundle: Path, tmp_path: Path) -> None:
    program = tmp_path / "mine.py"
    program.write_bytes(bundled_verifier.program())
    (bundle / "verify.py").write_text("print('VERIFIED')")
    command = [sys.executable, "-I", str(program), str(bundle)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "NOT VERIFIED: verify.py is not the file" in done.stdout


def test_nothing_is_signed_for_a_chain_that_was_rolled_back(
    thirty: None, auditor: Client, sealer: Sealing, tenant: Tenant
) -> None:
    sealer.troubles = {tenant.pk: "rolled back after checkpoint 1"}
    end = AuditRecord.objects.filter(tenant=tenant, seq=30).get().at.isoformat()
    with at_work(sealer):
        response = auditor.get("/v1/audit-log/export", {"format": "bundle", "end": end})
    assert response.status_code == 503
    assert "rolled back after checkpoint 1" in response.json()["detail"]
