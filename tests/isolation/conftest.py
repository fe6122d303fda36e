"""How many combinations the matrix had, told at the end of a run."""

from __future__ import annotations

from collections import Counter
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    run = Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "combinations" and report.when == "call":
                    defence, number = value
                    run[defence] += number
    for defence, number in run.items():
        terminalreporter.write_line(f"isolation, {defence}: {number} combinations")
