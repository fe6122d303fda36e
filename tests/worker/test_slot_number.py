from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from media_jobs.slot import number

_TAKE = """
import django, sys, time
django.setup()
from media_jobs.slot import number
print(number.take(sys.argv[1]), flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def test_it_works() -> None:
    assert [number.take("cpu") for _ in range(3)] == [1, 2, 3]


def test_lanes_and_hosts_count_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [number.take("cpu"), number.take("gpu")] == [1, 1]
    monkeypatch.setattr(settings, "HOST_NAME", "another")
    assert number.take("cpu") == 1


def test_the_number_of_one_that_was_killed_is_free_again(tmp_path: Path) -> None:
    """Another process's, as another container's is."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "ffapi_site.settings",
        "FFAPI_DATA_DIR": str(tmp_path),
        "PATH": "/usr/bin:/bin",
    }
    with subprocess.Popen(
        [sys.executable, "-c", _TAKE, "cpu"], stdout=subprocess.PIPE, env=environment
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        assert number.take("cpu") == 2
        other.kill()
        other.wait()
    assert number.take("cpu") == 1
