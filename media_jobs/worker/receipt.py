"""What an attempt ran and what that cost: its log, its receipt, and the usage of its job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ffapi_site.lib.shorten import without_middle
from media_jobs import sandbox
from media_jobs.ffmpeg import failures, verify
from media_jobs.ffmpeg.command import Command
from media_jobs.host.capabilities import capabilities
from media_jobs.models import Job, JobAttempt
from media_jobs.models.attempt import LOG_BYTES


@dataclass
class CommandLog:
    """The commands of an attempt: what they were, printed and cost."""

    commands: list[dict[str, object]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    printed: list[str] = field(default_factory=list)
    met_damage: bool = False
    met_full_disk: bool = False

    def add(self, command: Command, done: sandbox.Finished, printed: str, own: str) -> None:
        """``printed`` is all that came of it, ``own`` what of that are FFmpeg's own words."""
        argv = [command.program, *command.args]
        self.commands.append(
            {"argv": argv, "returncode": done.returncode, "seconds": round(done.wall_seconds, 3)}
        )
        self.cpu_seconds += done.cpu_seconds
        entry = f"$ {' '.join(argv)}\n{printed.strip()}\n"
        self.printed.append(without_middle(entry, LOG_BYTES))
        self.met_damage |= verify.tells_of_damage(own)
        self.met_full_disk |= failures.tells_of_full_disk(own)

    @property
    def warnings(self) -> list[str]:
        """FFmpeg makes of a broken input whatever it can."""
        damage = "parts of the input could not be read; the job's log says which"
        return [damage] if self.met_damage else []


@dataclass
class Receipt:
    """What an attempt has done so far: whatever ends it, this is written down."""

    commands: CommandLog = field(default_factory=CommandLog)
    started: float = field(default_factory=time.monotonic)
    input_bytes: int = 0
    device: str = ""
    """Where it was done, as far as is known; empty before the first command."""
    fallback: dict[str, str] | None = None

    def usage(self, output_bytes: int = 0) -> dict[str, Any]:
        return {
            "cpu_seconds": round(self.commands.cpu_seconds, 3),
            "wall_seconds": round(time.monotonic() - self.started, 3),
            "input_bytes": self.input_bytes,
            "output_bytes": output_bytes,
        }

    def for_job(self, output_bytes: int = 0) -> dict[str, Any]:
        """The columns of the job's own row, where the attempt is its last."""
        usage = self.usage(output_bytes)
        return {"usage": usage, "device": self.device, "fallback": self.fallback}

    def write(self, job: Job, **more: Any) -> None:
        """Write receipt and log to the attempt's row. Part of the transaction that ends it."""
        receipt = {
            "ffmpeg": capabilities().version,
            "commands": self.commands.commands,
            "device": self.device,
            "fallback": self.fallback,
            **self.usage(),
            **more,
        }
        rows = JobAttempt.objects.filter(job=job, number=job.attempt)
        rows.update(receipt=receipt, log="\n".join(self.commands.printed))
