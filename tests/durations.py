"""Which tests took longest, with all that their fixtures did for them: a pytest plugin.

Written where ``FFAPI_SLOWEST`` says, at the end of a run.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

_NUMBER = 20


def pytest_terminal_summary(terminalreporter: Any) -> None:
    place = os.environ.get("FFAPI_SLOWEST")
    if not place:
        return
    took = defaultdict[str, float](float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if duration := getattr(report, "duration", 0.0):
                took[report.nodeid] += duration
    slowest = [
        {"test": test, "seconds": round(seconds, 1)}
        for test, seconds in sorted(took.items(), key=lambda each: -each[1])[:_NUMBER]
    ]
    Path(place).write_text(json.dumps(slowest))
