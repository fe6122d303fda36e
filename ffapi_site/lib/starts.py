"""Which start of a site a process is of, where the site has a parent that awaits its readiness."""

from __future__ import annotations

VARIABLE = "FFAPI_START"
HEADER = "X-Start"
