from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TextIO

_WIDTH = 32


@dataclass
class ProgressBar:
    """Shows a job's progress: one moving line on a terminal, a line each tenth elsewhere."""

    out: TextIO
    _shown: str = ""

    def show(self, job: dict[str, Any]) -> None:
        line = progress_line(job)
        if self.out.isatty():
            self.out.write(f"\r\x1b[2K{line}")
        elif (tenth := f"{job['status']} {job['progress']['percent'] // 10}") != self._shown:
            self._shown = tenth
            self.out.write(f"{line}\n")
        self.out.flush()

    def close(self) -> None:
        if self.out.isatty():
            self.out.write("\n")


def progress_line(job: dict[str, Any]) -> str:
    progress = job["progress"]
    done = int(progress["percent"] / 100 * _WIDTH)
    bar = "█" * done + "░" * (_WIDTH - done)
    facts = [f"{progress['percent']:5.1f} %", progress["stage"] or job["status"]]
    if progress["speed"]:
        facts.append(f"{progress['speed']:.1f}x")
    if progress["eta_seconds"] and job["status"] == "running":
        facts.append(f"{progress['eta_seconds']:.0f} s left")
    return f"{bar} {'  '.join(facts)}"
