"""What a test of the audit log does beside the product: a sealer at work, a thief, an auditor."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from django.test import Client

from accounts import audit
from accounts.audit_chain import signing_key
from accounts.audit_chain.sealer import Sealing
from accounts.audit_chain.signing_key import SigningKey
from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.digests import digest
from accounts.audit_events import AuditEvent
from accounts.models import Tenant
from ffapi_site.lib import scope
from tests.api.sending import code_of


@contextmanager
def at_work(sealer: Sealing) -> Iterator[None]:
    """Seal in the background, as the sealer's process does."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            sealer.step()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def write(tenant: Tenant | None, number: int = 1) -> list[str]:
    whose = tenant.pk if tenant else None
    return [
        audit.record(AuditEvent.JOB_CREATED, whose, f"job_{each}", details={"at": each / 3})
        for each in range(number)
    ]


def sign_often(tenant: Tenant, sealer: Sealing, *, times: int, records: int = 5) -> None:
    """Have so many checkpoints, with so many records under each."""
    for _ in range(times):
        write(tenant, records)
        sealer.step()
        sealer.sign(tenant.pk)


def rotated(tenant: Tenant, sealer: Sealing) -> Sealing:
    """Put a new key in the place of this sealer's, which is a thief's from now on, and use it."""
    signing_key.rotate(sealer.signer.connection)
    later = Sealing(sealer.signer.connection)
    sign_often(tenant, later, times=2)
    return later


def content_of(response: Any) -> bytes:
    """Read a response as a server does: when the request, and its scope, are over."""
    with scope.within(scope.NOBODY):
        return b"".join(response.streaming_content)


def exported(auditor: Client, folder: Path, **query: str) -> Path:
    """Unzip a bundle as the API gives it."""
    response = auditor.get("/v1/audit-log/export", {"format": "bundle"} | query)
    assert response.status_code == 200, code_of(response, response.status_code)
    content = content_of(response)
    folder.mkdir()
    with zipfile.ZipFile(BytesIO(content)) as bundle:
        bundle.extractall(folder)
    return folder


def verified(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the bundle's own program, apart from the product and its libraries."""
    command = [sys.executable, "-I", "verify.py", *arguments]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def put(path: Path, told: list[dict[str, Any]]) -> None:
    path.write_bytes(b"".join(canonical(each) + b"\n" for each in told))


def own_fingerprint() -> str:
    return digest(SigningKey.read(signing_key.key_file()).public)


def fit_manifest(bundle: Path, **claims: Any) -> None:
    """Make the manifest agree with the files, as far as one can without the key."""
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in manifest["statement"]["files"]:
        content = (bundle / name).read_bytes()
        manifest["statement"]["files"][name] = hashlib.sha256(content).hexdigest()
    manifest["statement"] |= claims
    path.write_text(json.dumps(manifest))


def sign_last_checkpoint(bundle: Path, key: SigningKey, **claims: Any) -> None:
    """Put another one in the last checkpoint's place: what a thief of that key can do."""
    path = bundle / "checkpoints.jsonl"
    *before, last = lines(path)
    put(path, [*before, key.sign(last["statement"] | {"key_id": key.key_id} | claims)])


def signed_anew(bundle: Path, key: SigningKey, **claims: Any) -> None:
    """Make the manifest agree with the files, and sign it: what a thief of that key can do."""
    fit_manifest(bundle, key_id=key.key_id, **claims)
    path = bundle / "manifest.json"
    statement = json.loads(path.read_text())["statement"]
    path.write_text(json.dumps(key.sign(statement)))
