"""Checkpoints outside the database: what tells a restored database from the one that was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from accounts.audit_chain.signing_key import Envelope


class CheckpointFile:
    """One line for each checkpoint, only ever appended to."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or Path(settings.AUDIT_CHECKPOINT_DIR)) / "checkpoints.jsonl"

    def append(self, envelopes: Iterable[Envelope]) -> None:
        lines = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in envelopes)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.open("ab+") as file:
            if self._is_torn():
                file.write(b"\n")
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())

    def _is_torn(self) -> bool:
        """Was the last line cut off by a crash?"""
        with self.path.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    def of(self, tenant: str | None) -> list[Envelope]:
        return [each for each in self.all() if each["statement"]["tenant"] == tenant]

    def last(self) -> dict[str | None, Envelope]:
        """The newest checkpoint of each chain."""
        return {each["statement"]["tenant"]: each for each in self.all()}

    def all(self) -> Iterable[Envelope]:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # torn by a crash: the database has it, and it is written again
