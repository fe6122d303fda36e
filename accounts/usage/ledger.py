from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from django.db import connection


@dataclass(frozen=True)
class Usage:
    cpu_ms: int = 0
    wall_ms: int = 0
    input_bytes: int = 0
    output_bytes: int = 0

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self | None:
        """Read what a job tells of itself, in seconds; None where it says nothing."""
        if "cpu_seconds" not in told:
            return None
        return cls(
            cpu_ms=round(told["cpu_seconds"] * 1000),
            wall_ms=round(told.get("wall_seconds", 0) * 1000),
            input_bytes=told.get("input_bytes", 0),
            output_bytes=told.get("output_bytes", 0),
        )


class Ended(Protocol):
    """Work that has ended, whatever it was."""

    @property
    def tenant_id(self) -> str: ...
    @property
    def api_key_id(self) -> str | None: ...
    @property
    def work_id(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def did_run(self) -> bool: ...
    @property
    def submitted_at(self) -> datetime: ...


_INSERT = """
INSERT INTO accounts_usageentry (tenant_id, api_key_id, work_id, operation, outcome, did_run,
  submitted_at, ended_at, cpu_ms, wall_ms, input_bytes, output_bytes)
VALUES (%s, %s, %s, %s, %s, %s, %s, now(), %s, %s, %s, %s)
"""


def write(ended: Ended, usage: Usage) -> None:
    """Enter what ended, once: a second entry for the same work fails its transaction."""
    work = (ended.tenant_id, ended.api_key_id, ended.work_id, ended.operation, ended.outcome)
    cost = (usage.cpu_ms, usage.wall_ms, usage.input_bytes, usage.output_bytes)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, (*work, ended.did_run, ended.submitted_at, *cost))
