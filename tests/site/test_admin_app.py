from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

_ASK = """
from accounts.admin_site import AdminSite
from django.core import checks
seen = []
AdminSite.check = lambda self, _: seen.append(len(self._registry)) or []
checks.run_checks(tags=["admin"])
print(seen)
"""


@pytest.mark.slow
def test_a_check_finds_all_that_the_admin_shows() -> None:
    """Though nothing is registered before somebody asks."""
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", _ASK]
    told = subprocess.run(
        command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    [number] = eval(told.stdout)  # noqa: S307 -- what the line above printed
    assert number > 10
