"""A stretch of a chain with all that is needed to check it offline."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from django.db.models import Max, Min

from accounts.audit_chain import bundled_verifier, signatures
from accounts.audit_chain.record import line
from accounts.audit_chain.selection import Selection
from accounts.audit_chain.signatures import SealerAway
from accounts.audit_chain.signing_key import Envelope
from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.digests import digest
from accounts.models import AuditCheckpoint, AuditRecord
from ffapi_site.lib.problems import FieldError, Invalid

_README = Path(__file__).with_name("README.txt")
_PATIENCE_S = 10.0
_CHUNK = 1000
_FIELDS = (
    *("id", "tenant_id", "at", "event_type", "outcome", "actor_type", "actor_id", "details"),
    *("resource_type", "resource_id", "request_id", "personal", "salt", "personal_digest"),
    *("seq", "place", "prev_hash", "hash"),
)


class NothingToExport(Invalid):
    """There are no sealed records in this stretch of time"""

    def __init__(self) -> None:
        detail = "no sealed record lies between start and end"
        super().__init__(detail, errors=[FieldError("?start", detail, "invalid")])


def write(selection: Selection, export_id: str, file: IO[bytes]) -> None:
    """Write the zip. The record ``export_id`` of this very export is part of a full one.

    Raises ``SealerAway`` where nothing is sealed or signed just now, and ``NothingToExport``.
    """
    first_seq, last_seq = _sealed_ends(selection, export_id)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        records = _Records(selection.tenant_id, first_seq, last_seq)
        files = {
            "records.jsonl": _write_lines(bundle, "records.jsonl", records),
            "checkpoints.jsonl": _write_lines(
                bundle, "checkpoints.jsonl", _checkpoints(selection.tenant_id, first_seq)
            ),
            "verify.py": _add(bundle, "verify.py", bundled_verifier.program()),
            "README.txt": _add(bundle, "README.txt", _README.read_bytes()),
        }
        # A retention cut that came between leaves a hole: the next try begins after it.
        cuts = AuditCheckpoint.objects.filter(tenant_id=selection.tenant_id, kind="cut")
        if cuts.filter(seq__gte=first_seq).exists():
            raise SealerAway
        start = selection.start.isoformat() if selection.start else None
        claims = records.claims() | {"files": files, "start": start}
        manifest = signatures.ask(selection.tenant_id, claims)
        bundle.writestr("manifest.json", json.dumps(manifest, indent=1))


def _sealed_ends(selection: Selection, export_id: str) -> tuple[int, int]:
    """The first and the last number: times follow the numbers only nearly, so none is skipped.

    Where the stretch has no end, it waits until the record ``export_id`` is sealed.
    """
    if selection.end is None:
        deadline = time.monotonic() + _PATIENCE_S
        while not AuditRecord.objects.filter(pk=export_id, seq__isnull=False).exists():
            if time.monotonic() > deadline:
                raise SealerAway
            time.sleep(0.05)
    rows = selection.records().filter(tenant=selection.tenant, seq__isnull=False)
    found = rows.aggregate(first=Min("seq"), last=Max("seq"))
    if found["first"] is None:
        raise NothingToExport
    return found["first"], found["last"]


class _Records:
    """The records of a stretch, in pieces, with what the manifest claims about them."""

    def __init__(self, tenant_id: str | None, first_seq: int, last_seq: int) -> None:
        self._tenant_id, self._first_seq, self._last_seq = tenant_id, first_seq, last_seq
        self._first_prev_hash = self._last_hash = ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rows = AuditRecord.objects.filter(tenant_id=self._tenant_id).order_by("seq")
        next_seq = self._first_seq
        while next_seq <= self._last_seq:
            stretch = (next_seq, min(next_seq + _CHUNK - 1, self._last_seq))
            found = list(rows.filter(seq__range=stretch).values(*_FIELDS))
            for row in found:
                self._first_prev_hash = self._first_prev_hash or row["prev_hash"]
                self._last_hash = row["hash"]
                yield line(row)
            next_seq = stretch[1] + 1

    def claims(self) -> dict[str, Any]:
        return {
            "first_seq": self._first_seq,
            "last_seq": self._last_seq,
            "first_prev_hash": self._first_prev_hash,
            "last_hash": self._last_hash,
            # As many as there should be: where one is missing, verify.py names it.
            "records": self._last_seq - self._first_seq + 1,
        }


def _checkpoints(tenant_id: str | None, first_seq: int) -> Iterator[Envelope]:
    """All from the first one about the stretch on: later ones tell whether the end is missing."""
    rows = AuditCheckpoint.objects.filter(tenant_id=tenant_id)
    first = rows.filter(seq__gte=first_seq - 1).aggregate(number=Min("number"))["number"]
    if first is not None:
        chosen = rows.filter(number__gte=first).order_by("number")
        yield from chosen.values_list("envelope", flat=True).iterator(_CHUNK)


def _write_lines(bundle: zipfile.ZipFile, name: str, lines: Iterable[dict[str, Any]]) -> str:
    digest = hashlib.sha256()
    with bundle.open(name, "w", force_zip64=True) as file:
        for each in lines:
            written = canonical(each) + b"\n"
            digest.update(written)
            file.write(written)
    return digest.hexdigest()


def _add(bundle: zipfile.ZipFile, name: str, content: bytes) -> str:
    bundle.writestr(name, content)
    return digest(content)
