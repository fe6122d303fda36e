"""What an attempt ran and what that cost: its log, its receipt, and the usage of its job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ffapi_site.lib.shorten import without_middle
from media_jobs import sandbox
from media_jobs.ffmpeg import failures, verify
from media_jobs.host.toolchain import Tried
from media_jobs.models import Job, JobAttempt
from media_jobs.models.attempt import LOG_BYTES
from media_jobs.sandbox.allowed_paths import SHIPPED_FONTS

# Where the project lies is nobody's business.
_FONTS = f"{SHIPPED_FONTS}/"


@dataclass(frozen=True)
class Ran:
    """A command as it was run, and by which build."""

    argv: list[str]
    by: Tried
    done: sandbox.Finished


@dataclass
class CommandLog:
    """The commands of an attempt: what they were, printed and cost."""

    commands: list[dict[str, object]] = field(default_factory=list)
    builds: dict[str, Tried] = field(default_factory=dict)
    """Those that ran them, by name."""
    cpu_seconds: float = 0.0
    printed: list[str] = field(default_factory=list)
    met_damage: bool = False
    met_full_disk: bool = False

    def add(self, ran: Ran, printed: str, own: str) -> None:
        """``printed`` is all that came of it, ``own`` what of that are FFmpeg's own words."""
        argv = [word.replace(_FONTS, "") for word in ran.argv]
        self.commands.append(
            {
                "argv": argv,
                "build": ran.by.build.name,
                "returncode": ran.done.returncode,
                "seconds": round(ran.done.wall_seconds, 3),
            }
        )
        self.builds[ran.by.build.name] = ran.by
        self.cpu_seconds += ran.done.cpu_seconds
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
            "ffmpeg": ", ".join(by.capabilities.version for by in self.commands.builds.values()),
            "builds": [by.to_json() for by in self.commands.builds.values()],
            "commands": self.commands.commands,
            "device": self.device,
            "fallback": self.fallback,
            **self.usage(),
            **more,
        }
        rows = JobAttempt.objects.filter(job=job, number=job.attempt)
        rows.update(receipt=receipt, log="\n".join(self.commands.printed))
