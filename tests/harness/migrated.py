"""What a site makes at its first start, made once for a state of the sources and then copied.

The migrated database, and the static files as a web server sends them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from ffapi_site.database import embedded
from tests import data_folder

ROOT = Path(__file__).resolve().parent.parent.parent
_PLACE = ROOT / "var" / "migrated"
_TEMPLATE = "migrated"
# What they are made of. Whoever copies them migrates, and compares, so that nothing is missed.
_SOURCES = (
    *("*/migrations/*.py", "*/models/*.py", "*/sql/*.sql", "ffapi_site/database/*.py"),
    *("ffapi_site/lib/row_level_security.py", "ffapi_site/management/commands/migrate.py"),
    *("static/**/*.*", "requirements.txt", "tests/harness/migrated.py"),
)
_COLLECT = """
from django.conf import settings
from ffapi_site.serving import statics
statics.collect(settings.DATA_DIR / "static.stamp")
"""


def put(folder: Path) -> None:
    """Put a copy of the server's files at ``folder``, where there are none yet."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _copy("postgres", folder)


def put_statics(data: Path) -> None:
    """Put the static files into a site's data folder, where there are none yet."""
    if not (data / "static").exists():
        data.mkdir(parents=True, exist_ok=True)
        _copy("static", data)
        _copy("static.stamp", data)


def _copy(name: str, to: Path) -> None:
    with _locked(_PLACE.parent / "migrated.lock"):
        # -a: the database's files are its own user's.
        subprocess.run(["cp", "-a", "--reflink=auto", _made_once() / name, to], check=True)


def create(name: str) -> None:
    """Create the database ``name`` on the server of this run, as a copy of the migrated one."""
    folder = data_folder.FOLDER / "postgres"
    with _locked(data_folder.FOLDER / "created.lock"):
        put(folder)
        with _connected(folder) as server:
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(_TEMPLATE)
                )
            )


def _made_once() -> Path:
    place = _PLACE / _state()
    if not (place / "done").exists():
        shutil.rmtree(_PLACE, ignore_errors=True)
        place.mkdir(parents=True)
        _make(place)
        (place / "done").touch()
    return place


def _state() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for each in _SOURCES for path in ROOT.glob(each)):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _make(place: Path) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    made_at = os.environ | {"FFAPI_DATA_DIR": str(place)}
    subprocess.run(command, cwd=ROOT, env=made_at, check=True)
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", _COLLECT]
    subprocess.run(command, cwd=ROOT, env=made_at, check=True)
    with _connected(place / "postgres") as server:
        server.execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE postgres")
    embedded.stop(place / "postgres")


def _connected(folder: Path) -> psycopg.Connection[tuple[object, ...]]:
    place = embedded.start(folder)
    return psycopg.connect(host=place, user="postgres", dbname="template1", autocommit=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
