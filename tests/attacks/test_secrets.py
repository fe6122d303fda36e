"""Secrets are canaries here: words that must turn up nowhere but where they belong."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote

import httpx
import pytest
from django.conf import settings

from ffapi_site.database import embedded as database
from tests.harness import migrated
from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd, Page
from tests.harness.media import Samples
from tests.harness.programs import is_one
from tests.harness.server import Server, eventually
from tests.harness.site import Site, site_settings

pytestmark = [pytest.mark.slow]

# Messages are gone from the queue as soon as they are taken.
_OVERHEAR = """
CREATE TABLE overheard (payload text);
CREATE FUNCTION overhear() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO overheard VALUES (NEW.payload); RETURN NEW; END';
CREATE TRIGGER overhear BEFORE INSERT ON django_q_ormq FOR EACH ROW EXECUTE FUNCTION overhear();
"""


def word(name: str) -> str:
    return f"canary-{name}-{secrets.token_hex(12)}"


@dataclass
class Programs:
    """Every FFmpeg and ffprobe of a folder, with all that it was started with."""

    scratch: Path
    seen: dict[tuple[int, str], tuple[bytes, bytes]] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            # By hand: through psutil it would take a core for itself.
            for place in Path("/proc").glob("[0-9]*"):
                self._note(place)
            for folder, _, names in os.walk(self.scratch):
                for name in names:
                    self._read(Path(folder) / name)

    def _note(self, place: Path) -> None:
        try:
            if (place / "cwd").readlink().is_relative_to(self.scratch):
                name = (place / "comm").read_text().strip()
                facts = (place / "environ").read_bytes(), (place / "cmdline").read_bytes()
                self.seen[int(place.name), name] = facts
        except OSError:
            return  # it has ended

    def _read(self, path: Path) -> None:
        try:
            if path not in self.files and path.stat().st_size < 1_000_000:
                self.files[path] = path.read_bytes()
        except OSError:
            return  # it is gone


@dataclass
class Stage:
    site: Site
    alice: Customer
    words: dict[str, str]
    """What must not be told, by name."""
    programs: Programs
    far_end: FarEnd
    answers: list[httpx.Response] = field(default_factory=list)
    queued: list[bytes] = field(default_factory=list)

    def told_in(self, content: bytes | str) -> list[str]:
        """The names of the secrets that are in it."""
        raw = content.encode() if isinstance(content, str) else content
        return [name for name, secret in self.words.items() if secret.encode() in raw]


@pytest.fixture(scope="module")
def stage(media: Samples) -> Iterator[Stage]:
    """A site whose secrets are all canaries, after it did all kinds of work."""
    words = {
        name: word(name)
        for name in ("SECRET_KEY", "API_KEY_PEPPER", "ENCRYPTION_KEYS", "OPS_TOKEN", "password")
    }
    # Not under /tmp: another run of pytest would close its folder to the database's user.
    folder = Path(settings.DATA_DIR) / f"secrets-{os.getpid()}"
    folder.mkdir()
    record = folder.with_suffix(".refused")
    more = {name: secret for name, secret in words.items() if name != "password"}
    migrated.put(folder / "postgres")
    place = database.socket_folder(folder / "postgres")
    more["DATABASE_URL"] = f"postgres://postgres:{words['password']}@/postgres?host={quote(place)}"
    try:
        with FarEnd() as far_end:
            more = site_settings(record, [far_end.authority]) | more
            with Server.start(folder, settings=more) as server:
                server.await_line("FFAPI serves")
                stage = played(Site(server, record), far_end, words, media)
                with closing(stage.alice.http):
                    yield stage
    finally:
        database.socket_folder.cache_clear()  # it ended with the server


def played(site: Site, far_end: FarEnd, words: dict[str, str], media: Samples) -> Stage:
    alice = site.customer("alice")
    webhook_secret = alice.http.get("/v1/tenant").json()["webhook_secret"]
    _, _, random = alice.key.split("_", 2)
    words |= {"api key": random[:43], "webhook secret": webhook_secret.removeprefix("whsec_")}
    site.rows(_OVERHEAR)
    with Programs(site.scratch) as programs:
        stage = Stage(site, alice, words, programs, far_end)
        alice.http.event_hooks["response"].append(lambda answer: _keep(stage, answer))
        work(stage, media)
    trouble(stage)
    return stage


def _keep(stage: Stage, answer: httpx.Response) -> None:
    if not answer.headers.get("content-type", "").startswith("video/"):
        answer.read()
        stage.answers.append(answer)


def work(stage: Stage, media: Samples) -> None:
    """Jobs that end well and jobs that don't, with messages that arrive and that don't."""
    alice, far_end = stage.alice, stage.far_end
    film = alice.upload(media.path("film"))["id"]
    far_end.serve("/broken.mp4", Page(b"\0\0\0\x18ftypisom" + b"x" * 4000))
    far_end.statuses["/refused"] = [500]
    jobs = [
        alice.submit("transcode", {"input": film}, webhook_url=far_end.at("/taken")),
        alice.submit("transcode", {"input": film, "crf": 30}, webhook_url=far_end.at("/refused")),
        alice.submit("transcode", {"input": far_end.at("/broken.mp4")}),
        alice.submit("transcode", {"input": far_end.at("/absent.mp4")}, metadata={"a": 1}),
        alice.submit("probe", {"input": film}),
        alice.submit("video/thumbnails", {"input": film}),
    ]
    ended = [alice.ended(job) for job in jobs]
    assert [job["status"] for job in ended[:4]] == ["completed", "completed", "failed", "failed"]
    assert eventually(lambda: bool(far_end.received["/taken"]), within_s=30)
    assert eventually(lambda: bool(far_end.received["/refused"]), within_s=30)
    stage.queued = [_unpacked(row) for (row,) in stage.site.rows("SELECT payload FROM overheard")]
    for job in jobs:
        alice.log(job)


def trouble(stage: Stage) -> None:
    """Requests that are refused, and one that breaks us."""
    alice, site = stage.alice, stage.site
    for path in ("/v1/nothing", "/v1/jobs?x=1", "/v1/files/x", "/admin/"):
        alice.http.get(path)
    alice.http.post("/v1/jobs", content=b"{", headers={"Content-Type": "application/json"})
    alice.http.get("/v1/jobs", headers={"Authorization": f"Bearer {alice.key}x"})
    alice.http.get(
        "/health/detailed", headers={"Authorization": f"Bearer {stage.words['OPS_TOKEN']}"}
    )
    site.rows("ALTER TABLE storage_file RENAME TO gone")
    try:
        answer = alice.http.get("/v1/files")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    finally:
        site.rows("ALTER TABLE gone RENAME TO storage_file")


def _unpacked(payload: str) -> bytes:
    """What a queued message says: pickled, perhaps packed, in base64, with a signature."""
    coded = payload.rsplit(":", 2)[0]
    packed = base64.urlsafe_b64decode(coded.removeprefix(".") + "=" * 3)
    return zlib.decompress(packed) if coded.startswith(".") else packed


def test_it_works(stage: Stage) -> None:
    """The canaries are there to be found: the site runs on them, and the tenant knows its own."""
    environment = str(stage.site.server.process.pid)
    raw = Path(f"/proc/{environment}/environ").read_bytes()
    found = {"SECRET_KEY", "API_KEY_PEPPER", "ENCRYPTION_KEYS", "OPS_TOKEN", "password"}
    assert set(stage.told_in(raw)) == found
    assert stage.told_in(stage.alice.key) == ["api key"]
    answer = stage.alice.http.get("/v1/tenant")
    assert stage.told_in(answer.text) == ["webhook secret"], answer.text


def test_no_log_tells_them(stage: Stage) -> None:
    logs = stage.site.logs()
    assert "ProgrammingError" in logs  # so what broke us is in there
    assert stage.told_in(logs) == []


def test_no_queued_message_tells_them(stage: Stage) -> None:
    assert stage.queued
    assert [stage.told_in(message) for message in stage.queued] == [[]] * len(stage.queued)


def test_no_row_tells_them(stage: Stage) -> None:
    names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    tables = [table for (table,) in stage.site.rows(names)]
    assert {"media_jobs_job", "media_jobs_jobattempt", "accounts_tenant"} <= set(tables)
    for table in tables:
        rows = stage.site.rows(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608 -- ours
        assert stage.told_in("\n".join(row for (row,) in rows)) == [], table


def test_no_answer_tells_them(stage: Stage) -> None:
    told = [answer for answer in stage.answers if answer.request.url.path != "/v1/tenant"]
    assert {answer.status_code for answer in told} >= {200, 202, 400, 401, 404, 422, 500}
    for answer in told:
        whole = f"{answer.headers}\n{answer.text}"
        assert stage.told_in(whole) == [], answer.request.url


def test_no_receiver_is_told_them(stage: Stage) -> None:
    received = [each for path in ("/taken", "/refused") for each in stage.far_end.received[path]]
    assert received
    for each in received:
        assert stage.told_in(each.body + str(each.headers).encode()) == []


def test_ffmpeg_is_started_with_none(stage: Stage) -> None:
    programs = stage.programs.seen
    assert any(is_one(name) for _, name in programs)
    for (_, name), (environment, arguments) in programs.items():
        assert stage.told_in(environment + b"\0" + arguments) == [], name
        if is_one(name):
            assert len(environment) < 500, environment


def test_no_program_of_the_site_has_them_among_its_arguments(stage: Stage) -> None:
    processes = stage.site.server.processes()
    assert len(processes) > 8
    for process in processes:
        assert stage.told_in(" ".join(process.cmdline())) == [], process


def test_no_scratch_file_holds_them(stage: Stage) -> None:
    assert stage.programs.files
    for path, content in stage.programs.files.items():
        assert stage.told_in(content) == [], path


def test_nothing_on_the_disk_holds_them(stage: Stage) -> None:
    """The database's own files and its log of changes included: what is secret is encrypted."""
    folder = stage.site.server.folder
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any("pg_wal" in path.parts for path in files)
    told = {str(path): names for path in files if (names := stage.told_in(_content(path)))}
    assert told == {}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""  # the database's files come and go


def test_a_database_that_is_away_is_not_told_of_with_its_password(stage: Stage) -> None:
    lost = f"postgres://postgres:{stage.words['password']}@/postgres?host=/nowhere"
    environment = os.environ | stage.site.server.settings | {"DATABASE_URL": lost}
    for command in (["migrate", "--check"], ["create_api_key", "--tenant", "a"], ["check"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            env=environment,
            cwd=settings.BASE_DIR,
            check=False,
            capture_output=True,
        )
        assert stage.told_in(done.stdout + done.stderr) == [], command


@pytest.fixture
def rotated(stage: Stage) -> Iterator[str]:
    """What the rotation to another key says; the site, which runs on the old one, gets it back."""
    kept, old = stage.site.server.settings, stage.words["ENCRYPTION_KEYS"]
    new = word("new")
    kept["ENCRYPTION_KEYS"] = f"{new},{old}"
    yield stage.site.server.manage("rotate_secrets")
    kept["ENCRYPTION_KEYS"] = f"{old},{new}"
    stage.site.server.manage("rotate_secrets")
    kept["ENCRYPTION_KEYS"] = old


def test_a_rotation_leaves_nothing_under_the_old_key(stage: Stage, rotated: str) -> None:
    manage, kept = stage.site.server.manage, stage.site.server.settings
    assert "1 rotated, 0 fresh, 0 unreadable" in rotated
    assert "0 rotated, 1 fresh" in manage("rotate_secrets")
    kept["ENCRYPTION_KEYS"] = kept["ENCRYPTION_KEYS"].split(",")[0]
    code = "from accounts.models import Tenant; print(Tenant.objects.get().webhook_secret)"
    told = manage("shell", "-c", code)
    assert stage.told_in(told) == ["webhook secret"]
    assert stage.told_in(rotated) == []
