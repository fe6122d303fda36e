"""Checkpoints outside the database: what tells a restored database from the one that was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.audit_chain.append_file import append
from accounts.audit_chain.signing_key import Envelope
from accounts.audit_chain.verifier.checkpoints import is_checkpoint


class CheckpointFile:
    """One line for each checkpoint, only ever appended to."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or Path(settings.AUDIT_CHECKPOINT_DIR)) / "checkpoints.jsonl"
        self._read_to = 0
        self._last: dict[str | None, Envelope] = {}
        self._twice: set[tuple[str | None, int]] = set()

    def append(self, envelopes: Iterable[Envelope]) -> None:
        lines = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in envelopes)
        append(self.path, lines.encode(), mode=0o666)

    def of(self, tenant: str | None) -> list[Envelope]:
        return [each for each in self.all() if each["statement"]["tenant"] == tenant]

    def last(self) -> dict[str | None, Envelope]:
        """The newest checkpoint of each chain: that of the highest number, wherever it stands."""
        for line in self._lines(self._read_to):
            if not line.endswith(b"\n"):
                break  # somebody writes it just now
            self._read_to += len(line)
            if envelope := _checkpoint(line):
                told = envelope["statement"]
                before = self._last.get(told["tenant"])
                if before is None or before["statement"]["number"] < told["number"]:
                    self._last[told["tenant"]] = envelope
                else:
                    self._twice.add((told["tenant"], told["number"]))
        return dict(self._last)

    def contradictions(self) -> dict[str | None, str]:
        """Chains of which two different checkpoints have one number."""
        self.last()
        found: dict[tuple[str | None, int], Envelope] = {}
        contradictions = {}
        for each in self.all() if self._twice else ():
            told = each["statement"]
            key = told["tenant"], told["number"]
            if key in self._twice and found.setdefault(key, each)["statement"] != told:
                text = f"rewritten: two different checkpoints {told['number']} were signed"
                contradictions[told["tenant"]] = text
        return contradictions

    def all(self) -> Iterable[Envelope]:
        return filter(None, map(_checkpoint, self._lines(0)))

    def _lines(self, start: int) -> Iterator[bytes]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(start)
            yield from file


def _checkpoint(line: bytes) -> Envelope | None:
    """None where a crash tore the line: the database has it, and it is written again."""
    try:
        envelope: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return envelope if is_checkpoint(envelope) else None
