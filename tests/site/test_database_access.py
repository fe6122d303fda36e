"""Who may connect to the embedded server: nobody but the site's own users of the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import psutil
import psycopg
import pytest
from django.conf import settings

from ffapi_site.database import embedded, sockets
from tests.harness.processes import become_user, exit_status, forked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else"),
]

_LONG = "a-folder-with-a-name-that-is-long" * 3


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="guarded-", dir=settings.DATA_DIR)) / "postgres"
    embedded.start(folder)
    yield folder
    embedded.stop(folder)


def _as_user(name: str, action: Callable[[], object]) -> str:
    """Do it as another user of the machine, and give what came of it, as text."""
    reading, writing = os.pipe()

    def attempt() -> None:
        become_user(name)
        try:
            os.write(writing, str(action()).encode())
        except (psycopg.Error, embedded.NotReady) as error:
            os.write(writing, str(error).encode())

    child = forked(attempt)  # not another program: Python may lie where only we can go
    os.close(writing)
    with os.fdopen(reading) as told:
        assert exit_status(child) == 0
        return told.read()


def _connect(place: str, role: str) -> object:
    with psycopg.connect(host=place, user=role, dbname="postgres", connect_timeout=5) as server:
        return server.execute("SELECT current_user").fetchone()


def _asked_by(name: str, folder: Path, role: str) -> str:
    place = embedded.start(folder)
    return _as_user(name, lambda: _connect(place, role))


@pytest.mark.parametrize("role", ["postgres", "ffapi"])
def test_another_user_of_the_machine_may_not(folder: Path, role: str) -> None:
    assert "Permission denied" in _asked_by("nobody", folder, role)


def test_nor_where_the_path_is_too_long_for_a_socket() -> None:
    folder = Path(settings.DATA_DIR) / _LONG / "postgres"
    try:
        assert len(embedded.start(folder)) < len(str(folder))
        assert "Permission denied" in _asked_by("nobody", folder, "postgres")
        assert _connect(embedded.start(folder), "postgres") == ("postgres",)
    finally:
        embedded.stop(folder)


def test_an_open_folder_does_not_help(folder: Path) -> None:
    """The kernel says who asks: it is not the folder alone that keeps others out."""
    place = Path(embedded.start(folder))
    place.chmod(0o755)
    (place / ".s.PGSQL.5432").chmod(0o777)
    try:
        assert "Peer authentication failed" in _asked_by("nobody", folder, "postgres")
    finally:
        embedded.stop(folder)  # the next start closes it again


def test_the_web_servers_user_may_not_be_the_owner(folder: Path) -> None:
    with psycopg.connect(host=embedded.start(folder), user="postgres", dbname="postgres") as owner:
        owner.execute("DROP ROLE IF EXISTS ffapi")
        owner.execute("CREATE ROLE ffapi LOGIN")
    assert _asked_by("ffapi", folder, "ffapi") == "('ffapi',)"
    assert "Peer authentication failed" in _asked_by("ffapi", folder, "postgres")


def test_it_listens_at_its_socket_alone(folder: Path) -> None:
    with psycopg.connect(host=embedded.start(folder), user="postgres", dbname="postgres") as owner:
        rules = owner.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
        [listens] = owner.execute("SHOW listen_addresses").fetchall()
    assert rules == [("local", "peer")]
    assert listens == ("",)


def test_it_has_nothing_of_root_or_of_the_sites_secrets(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_TOKEN", "a word of ours")
    embedded.stop(folder)
    embedded.start(folder)
    server = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
    status = Path(f"/proc/{server.pid}/status").read_text()
    assert 0 not in {*server.uids(), *server.gids()}
    assert [line.split()[1:] for line in status.splitlines() if line.startswith("Groups")] == [[]]
    assert "OPS_TOKEN" not in server.environ()


def test_its_log_has_nothing_of_what_was_sent(folder: Path) -> None:
    with psycopg.connect(
        host=embedded.start(folder), user="postgres", dbname="postgres", autocommit=True
    ) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS told (word text PRIMARY KEY)")
        for _ in range(2):
            with suppress(psycopg.errors.UniqueViolation):
                owner.execute("INSERT INTO told VALUES ('a word of a tenant')")
    log = (folder / "log").read_text()
    assert "duplicate key value violates unique constraint" in log
    assert "a word of a tenant" not in log


def test_what_an_older_version_trusted_is_trusted_no_more(folder: Path) -> None:
    embedded.stop(folder)
    (folder / "pg_hba.conf").write_text("local all all trust\nhost all all 0.0.0.0/0 trust\n")
    test_it_listens_at_its_socket_alone(folder)


def test_one_that_runs_as_an_older_version_started_it_is_replaced(folder: Path) -> None:
    embedded.stop(folder)
    embedded.start(folder)
    pid = (folder / "postmaster.pid").read_text().split()[0]
    opts = folder / "postmaster.opts"
    opts.write_text(opts.read_text().replace("0770", "0777"))
    embedded.start(folder)
    assert (folder / "postmaster.pid").read_text().split()[0] == pid  # a command leaves it alone
    embedded.renew(folder)
    assert (folder / "postmaster.pid").read_text().split()[0] != pid


def test_a_second_user_of_the_machine_starts_one() -> None:
    """Whatever the first one has left, and holds, in /tmp."""
    first = Path(mkdtemp(prefix="first-user-")) / "postgres"
    embedded.start(first)
    nobody = pwd.getpwnam("nobody")
    home = Path(mkdtemp(prefix="second-user-"))
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    folder = home / "postgres"
    try:
        told = _as_user("nobody", lambda: _connect(embedded.start(folder), "ffapi"))
        assert 'role "ffapi" does not exist' in told  # it is let in, before the first migrate
        assert stat.S_IMODE((home / "postgres.socket").stat().st_mode) == 0o700
    finally:
        for each in (first, folder):
            embedded.stop(each)
            shutil.rmtree(each.parent)


def test_a_data_folder_that_is_given_away_is_the_new_owners() -> None:
    """So a site that root began goes on as a user of its own."""
    home = Path(mkdtemp(prefix="given-away-"))
    folder = home / "postgres"
    embedded.start(folder)
    embedded.stop(folder)
    home.chmod(0o755)
    subprocess.run(["chown", "-R", "nobody:", home], check=True)
    try:
        told = _as_user("nobody", lambda: _connect(embedded.start(folder), "postgres"))
        assert told == "('postgres',)"
        assert stat.S_IMODE((home / "postgres.socket").stat().st_mode) == 0o700
    finally:
        embedded.stop(folder)
        shutil.rmtree(home)


def test_a_folder_that_somebody_else_put_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_TEMPORARY", tmp_path)
    nobody = pwd.getpwnam("nobody")
    place = sockets.place(Path("/", _LONG, "postgres"), nobody.pw_uid)
    place.parent.symlink_to("/etc")
    with pytest.raises(sockets.NotOurs, match="not a folder of ours"):
        sockets.make(place, nobody, None)
