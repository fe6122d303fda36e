"""Where root serves, what takes over the web server has neither the machine nor the tables."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import httpx
import psutil
import pytest
from django.conf import settings

from ffapi_site.lib.system_user import SITE_USER, barred, system_user
from ffapi_site.serving import data_ownership
from tests.harness.customer import Customer
from tests.harness.media import Samples
from tests.harness.server import ROOT, Server, environment
from tests.serving.shared import Shared
from tests.worker.container import PYTHON, needs_root, packages

pytestmark = [pytest.mark.slow, needs_root]
# Two more starts each; `test_data_owners` has each step of what these see as a whole.
brings_data_over = pytest.mark.nightly

USER = system_user(SITE_USER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
FOR_ALL = {"PYTHONPATH": f"{ROOT}:{packages()}", "PYTHONDONTWRITEBYTECODE": "1"}
AS_USER = ("setpriv", f"--reuid={USER.pw_name}", f"--regid={USER.pw_gid}", "--clear-groups")
SHARED = ("media", "uploads", "room")
AS_ROOT = "the web server runs as root"


@contextmanager
def serving(folder: Path, *before: str) -> Iterator[tuple[Server, str]]:
    """A site by a Python that every user may run, and what it said at its start."""
    python = (*before, PYTHON)
    with Server.start(folder, settings=FOR_ALL | {"HOME": "/"}, python=python) as server:
        yield server, server.await_start()


@contextmanager
def customer(server: Server, key: str = "") -> Iterator[Customer]:
    if not key:
        key = json.loads(server.manage("create_api_key", "--tenant", "one", "--json"))["key"]
    one = Customer.of(server.url, {"tenant": "one", "key": key})
    with one.http:
        yield one


def a_folder() -> Path:
    return Path(mkdtemp(prefix="web-user-", dir=settings.DATA_DIR))


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Server, str]]:
    folder = a_folder()
    with serving(folder) as served:
        yield served
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(site: tuple[Server, str]) -> Server:
    return site[0]


@pytest.fixture(scope="module")
def one(server: Server) -> Iterator[Customer]:
    with customer(server) as one:
        yield one


def users_by_program(server: Server) -> dict[str, set[str]]:
    """The users of each program's processes."""
    found: dict[str, set[str]] = {}
    for process in server.processes():
        words = " ".join(process.cmdline())
        for program in ("gunicorn", "audit-sealer", "slot-", "supervisor", "postgres"):
            if program in words:
                found.setdefault(program.strip(), set()).add(process.username())
    return found


def owners(folder: Path) -> dict[str, str]:
    """Whose each entry is, and what is in those that are shared."""
    found = {path.name: path.owner() for path in folder.iterdir()}
    for name in SHARED:
        found |= {
            str(path.relative_to(folder)): path.owner() for path in (folder / name).rglob("*")
        }
    return found


def as_user(code: str, folder: Path) -> str:
    """What Python says to ``code`` where the web server's user runs it."""
    command = [*AS_USER, PYTHON, "-c", code, str(folder)]
    done = subprocess.run(
        command, env=FOR_ALL, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_it_works(site: tuple[Server, str]) -> None:
    server, told = site
    assert AS_ROOT not in told
    users = users_by_program(server)
    assert users.pop("gunicorn") == {SITE_USER}
    assert SITE_USER not in users.pop("postgres")
    assert users == {"audit-sealer": {"root"}, "slot-": {"root"}, "supervisor": {"root"}}
    web = next(each for each in server.processes() if "gunicorn" in " ".join(each.cmdline()))
    assert os.getgrouplist(SITE_USER, USER.pw_gid) == [USER.pw_gid]
    assert set(web.gids()) == {USER.pw_gid}
    assert _groups(web) <= {USER.pw_gid}


def _groups(process: psutil.Process) -> set[int]:
    status = Path(f"/proc/{process.pid}/status").read_text()
    [line] = [each for each in status.splitlines() if each.startswith("Groups:")]
    return {int(group) for group in line.split()[1:]}


def test_a_file_is_sent_worked_on_fetched_and_deleted(
    server: Server, one: Customer, media: Samples, tmp_path: Path
) -> None:
    sent = one.upload(media.path("film"))
    assert sent["media"]["duration_s"] > 0
    job = one.completed(one.submit("transcode", {"input": sent["id"], "preset": "fast"}))
    [output] = job["outputs"]
    assert one.download(output, tmp_path).stat().st_size == output["size_bytes"]
    stored = [path for path in (server.folder / "media").rglob("*") if path.is_file()]
    assert len(stored) == 2
    found = owners(server.folder)
    assert {found[name] for name in found if name.startswith(SHARED)} == {SITE_USER}
    others = {found[name] for name in found if not name.startswith((*SHARED, "postgres"))}
    assert others == {"root"}
    again = one.completed(one.submit("video/thumbnails", {"input": output["file"], "count": 1}))
    for file in (sent["id"], output["file"], *(each["file"] for each in again["outputs"])):
        answer = one.http.delete(f"/v1/files/{file}")
        assert answer.status_code == 204, answer.text
    assert [path for path in (server.folder / "media").rglob("*") if path.is_file()] == []
    assert list((server.folder / "uploads").iterdir()) == []


def test_a_probe_has_a_folder_of_its_own(one: Customer, media: Samples, server: Server) -> None:
    sent = one.upload(media.path("film"))
    answer = one.http.post("/v1/probe", json={"input": sent["id"]})
    assert answer.status_code == 200, answer.text
    scratch = server.folder / "scratch"
    assert stat.S_IMODE(scratch.stat().st_mode) == 0o1770
    assert list(scratch.iterdir()) == []
    assert one.http.delete(f"/v1/files/{sent['id']}").status_code == 204


def test_the_slots_sandbox_is_whole(server: Server) -> None:
    health = server.manage("sandbox", "selftest", "--json")
    told = json.loads(health)
    assert told["allowed"]
    assert told["leaks"] == []
    assert told["layers"]["user"]["active"]


_CONNECT = """
import psycopg, sys
place = f"{sys.argv[1]}/postgres.socket"
for role in ("ffapi", "postgres"):
    try:
        with psycopg.connect(host=place, user=role, dbname="postgres") as server:
            print(server.execute("SELECT current_user").fetchone())
    except psycopg.OperationalError as error:
        print(error)
"""
_REACH = """
import os, pathlib, sys
data = pathlib.Path(sys.argv[1])
def write(path):
    with open(path, "a"):
        pass
attempts = {
    "key": lambda: (data / "secrets/audit_signing_key.pem").read_bytes(),
    "secrets": lambda: list((data / "secrets").iterdir()),
    "database": lambda: list((data / "postgres").iterdir()),
    "logs": lambda: list((data / "logs").iterdir()),
    "lock": lambda: write(data / "serving.lock"),
    "checkpoints": lambda: write(data / "audit/checkpoints.jsonl"),
    "programs": lambda: write(data / "supervisord.conf"),
    "static": lambda: write(data / "static/staticfiles.json"),
    "replace": lambda: (data / "media").rename(data / "other"),
    "new": lambda: write(data / "new"),
    "sources": lambda: write("manage.py"),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except PermissionError:
        continue
    print("may", name)
"""


def test_all_that_a_site_makes_is_known(server: Server) -> None:
    """Or it would stay a former web server's where root takes the data folder back."""
    assert {path.name for path in server.folder.iterdir()} <= set(data_ownership.MADE)


def test_its_user_is_not_the_tables_owner(server: Server) -> None:
    told = as_user(_CONNECT, server.folder)
    assert "('ffapi',)" in told
    assert "('postgres',)" not in told
    assert "Peer authentication failed" in told


def test_its_user_reaches_nothing_that_root_s_programs_trust(server: Server) -> None:
    assert as_user(_REACH, server.folder) == ""


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"SECRET_KEY_FILE": "{data}/secrets/audit_signing_key.pem"}, "audit_signing_key.pem"),
        ({"FFAPI_STATIC_DIR": "{data}/logs"}, "/logs"),
        ({"PROMETHEUS_MULTIPROC_DIR": "{data}/static"}, "can't write to"),
        ({}, "can't listen on 127.0.0.1"),  # the site does
    ],
)
def test_what_its_user_lacks_is_named(server: Server, setting: dict[str, str], told: str) -> None:
    wanted = {name: value.format(data=server.folder) for name, value in setting.items()}
    done = subprocess.run(
        [*AS_USER, PYTHON, "-m", "ffapi_site.serving.trial"],
        env=environment(server.folder, server.port) | FOR_ALL | wanted,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert told in done.stderr.strip().splitlines()[-1]


@brings_data_over
def test_the_data_of_a_site_whose_web_server_was_root_s(media: Samples) -> None:
    """Brought over at the start, also where an earlier start was broken off in the middle of it."""
    folder = a_folder()
    try:
        with serving(folder) as (server, _), customer(server) as one:
            sent = one.upload(media.path("film"))
            assert server.stop() == 0
        subprocess.run(["chown", "-R", "root:", *(folder / name for name in SHARED)], check=True)
        [stored] = [path for path in (folder / "media").rglob("*") if path.is_file()]
        os.chown(stored, USER.pw_uid, USER.pw_gid)  # the change of owner began
        (folder / "scratch").chmod(0o700)
        for path in (folder / "secrets").iterdir():
            shutil.chown(path, "root", "root")
            path.chmod(0o600)
        outside = folder.parent / f"{folder.name}.outside"
        outside.write_text("root's")
        (folder / "media" / "link").symlink_to(outside)
        with serving(folder) as (server, told), customer(server, one.key) as one:
            assert AS_ROOT not in told
            assert users_by_program(server)["gunicorn"] == {SITE_USER}
            assert outside.owner() == "root"
            assert one.http.get(f"/v1/files/{sent['id']}/content").status_code == 200
            assert one.http.delete(f"/v1/files/{sent['id']}").status_code == 204
            assert not stored.exists()
            one.upload(media.path("film"))
            outside.unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@brings_data_over
def test_the_data_of_a_site_that_its_user_served_alone_and_back(media: Samples) -> None:
    folder = a_folder()
    try:
        with serving(folder) as (server, _), customer(server) as one:
            key = one.key
        subprocess.run(["chown", "-R", f"{SITE_USER}:", folder], check=True)
        with serving(folder, *AS_USER) as (server, told), customer(server, key) as one:
            assert AS_ROOT not in told
            assert set.union(*users_by_program(server).values()) == {SITE_USER}
            sent = one.upload(media.path("film"))
            one.completed(one.submit("video/thumbnails", {"input": sent["id"], "count": 1}))
        with serving(folder) as (server, told), customer(server, key) as one:
            assert AS_ROOT not in told
            assert SITE_USER not in users_by_program(server)["postgres"]
            assert as_user(_REACH, folder) == ""
            assert "('postgres',)" not in as_user(_CONNECT, folder)
            assert one.http.delete(f"/v1/files/{sent['id']}").status_code == 204
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_links_that_its_user_left_for_root_are_not_followed(folder: Path) -> None:
    outside = folder / "outside"
    outside.mkdir()
    data = folder / "data"
    data.mkdir()
    (data / "logs").symlink_to(outside)
    subprocess.run(["chown", "-hR", f"{SITE_USER}:", data], check=True)
    with Server.start(data, settings=FOR_ALL, python=(PYTHON,)) as server:
        told = server.output.read()
    assert "logs is a link of ffapi's" in told
    assert list(outside.iterdir()) == []


@pytest.mark.skipif(
    not barred(Path(sys.executable).resolve(), USER), reason="every user may run this Python"
)
def test_where_its_user_can_t_run_python_it_is_root_s_and_says_so(shared: Shared) -> None:
    server = shared.running()
    assert f"WARNING: {AS_ROOT}: ffapi may not pass /" in shared.told
    assert users_by_program(server)["gunicorn"] == {"root"}
    assert httpx.get(f"{server.url}/health/ready").is_success
    assert (server.folder / "media").owner() == "root"
