"""What an attempt ran and what that cost: its log, its receipt, and the usage of its job."""

from __future__ import annotations

from dataclasses import dataclass, field

from ffapi_site.lib.shorten import without_middle
from media_jobs import sandbox
from media_jobs.ffmpeg import failures, verify
from media_jobs.ffmpeg.command import Command
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
