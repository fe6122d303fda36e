"""R20: a migration that is killed, or that can't have its lock, is simply run again."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from ffapi_site.database import embedded
from tests.harness import migrated
from tests.harness.server import ROOT, environment

pytestmark = pytest.mark.slow

_IMPATIENTLY = """
import os, sys
import django
from django.core.management import execute_from_command_line
from ffapi_site.lib import scope
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
scope.act_for_every_tenant()
django.setup()
from ffapi_site.management.commands import migrate
assert "lock_timeout = '5s'" in migrate._PATIENCE
migrate._PATIENCE = migrate._PATIENCE.replace("5s", "500ms")
execute_from_command_line(["manage.py", "migrate", *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Installation:
    """A data folder with a database of its own."""

    folder: Path

    def migrating(self, *arguments: str, is_impatient: bool = False) -> subprocess.Popen[str]:
        program = ("-c", _IMPATIENTLY) if is_impatient else ("manage.py", "migrate")
        return subprocess.Popen(
            [sys.executable, "-u", *program, *arguments],
            cwd=ROOT,
            env=environment(self.folder, 1),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def migrate(self, *arguments: str, is_impatient: bool = False) -> tuple[int, str]:
        with self.migrating(*arguments, is_impatient=is_impatient) as process:
            told, _ = process.communicate(timeout=120)
            return process.returncode, told

    def connect(self) -> psycopg.Connection[Any]:
        place = embedded.socket_folder(self.folder / "postgres")
        return psycopg.connect(host=place, user="postgres", dbname="postgres")


@pytest.fixture
def installation() -> Iterator[Installation]:
    """One that nothing was ever migrated in."""
    folder = Path(tempfile.mkdtemp(prefix="migrate-", dir=settings.DATA_DIR))
    yield Installation(folder)
    embedded.stop(folder / "postgres")


def test_it_works_after_a_kill_in_its_midst(installation: Installation) -> None:
    kill_at, wait_s = random.randint(3, 12), random.random() / 20  # noqa: S311 -- any moment
    print(f"killed {wait_s:.3f} s after line {kill_at}")  # noqa: T201 -- to do it again
    with installation.migrating() as process:
        assert process.stdout is not None
        for number, _ in enumerate(process.stdout):
            if number == kill_at:
                break
        time.sleep(wait_s)
        process.kill()
    assert process.returncode == -9
    status, told = installation.migrate()
    assert status == 0, told
    assert installation.migrate("--check")[0] == 0


def test_it_gives_up_where_a_lock_is_held(installation: Installation) -> None:
    """Nobody queues up behind it for long, and nothing is half done."""
    migrated.put(installation.folder / "postgres")
    with installation.connect() as holder:
        holder.execute("SELECT 1 FROM media_jobs_job")  # a reader that does not come to its end
        status, told = installation.migrate("media_jobs", "0003", is_impatient=True)
        assert status != 0
        assert "lock timeout" in told
    assert installation.migrate("media_jobs", "0003")[0] == 0
    status, told = installation.migrate()
    assert status == 0, told


@pytest.mark.django_db(transaction=True)
def test_its_patience_is_its_own() -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
        )
        assert cursor.fetchone() == ("0", "30s")
