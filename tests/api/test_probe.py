from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings as site
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.lib import ongoing
from media_jobs.host import probe
from media_jobs.models import Job
from media_jobs.worker import inline_run
from storage.models import File
from tests.api.sending import code_of, pointers, send
from tests.factories import FileFactory
from tests.harness.media import Samples

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def film(tenant: Tenant, media: Samples) -> File:
    path = media("film").path
    info = probe.probe(path, "a tenant").to_json()
    return FileFactory.create(tenant=tenant, content=path.read_bytes(), media=info, name="a.mp4")


@pytest.fixture
def served(tmp_path: Path, settings: Settings) -> Iterator[tuple[Path, str]]:
    """A folder on a loopback web server that may be fetched from, and its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        host = f"127.0.0.1:{server.server_port}"
        settings.URL_ALLOWLIST = frozenset((host,))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://{host}"
        server.shutdown()


def scratch_folders() -> list[Path]:
    return list(site.SCRATCH_DIR.glob("answer.*"))


def test_it_works(client: Client, film: File) -> None:
    response = send(client, "/v1/probe", {"input": film.pk, "packets": True})
    assert response.status_code == 200, response.content
    found = response.json()
    assert found["media"]["video"]["width"] == film.media["video"]["width"]
    assert found["raw"]["format"]["filename"] == "a.mp4"
    assert int(found["raw"]["streams"][0]["nb_read_packets"]) > 10
    assert not Job.objects.exists()
    assert not scratch_folders()


def test_an_address_is_fetched_through_the_guard(
    client: Client, served: tuple[Path, str], media: Samples
) -> None:
    folder, address = served
    shutil.copy(media("film").path, folder / "film.mp4")
    response = send(client, "/v1/probe", {"input_url": f"{address}/film.mp4"})
    assert response.status_code == 200, response.content
    assert response.json()["media"]["video"]["codec"] == "h264"


def test_what_is_no_medium_is_named(client: Client, served: tuple[Path, str]) -> None:
    folder, address = served
    (folder / "text.mp4").write_text("hello " * 100)
    (folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    for name in ("text.mp4", "list.mp4", "missing.mp4"):
        refused = send(client, "/v1/probe", {"input": f"{address}/{name}"})
        assert pointers(refused) == ["/input"]
        assert b"/scratch/" not in refused.content
        assert b"root:" not in refused.content
    assert not scratch_folders()


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["/input"]),
        ({"input": "http://169.254.169.254/latest"}, ["/input"]),
        ({"input": "https://example.org/a", "nope": 1}, ["/nope"]),
        ({"input": "https://example.org/a", "frames": "many"}, ["/frames"]),
        ({"input": 1}, ["/input"]),
    ],
)
def test_a_wrong_field_is_named(client: Client, body: dict[str, object], wrong: list[str]) -> None:
    assert pointers(send(client, "/v1/probe", body)) == wrong


def test_anothers_file_is_absent(client: Client) -> None:
    assert pointers(send(client, "/v1/probe", {"input": FileFactory.create().pk})) == ["/input"]


def test_when_all_places_are_taken_it_says_so(
    client: Client, tenant: Tenant, film: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline_run, "_PATIENCE_S", 0.1)
    with ExitStack() as held:
        for _ in range(site.AT_ONCE_PER_TENANT["questions"]):
            held.enter_context(ongoing.QUESTIONS.one_of(tenant.pk))
        refused = send(client, "/v1/probe", {"input": film.pk})
    assert code_of(refused, 429) == "too_many_at_once"
    assert refused["Retry-After"] == "5"
    assert send(client, "/v1/probe", {"input": film.pk}).status_code == 200


def test_ffprobe_takes_its_turn_with_those_of_uploads(
    client: Client, tenant: Tenant, film: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_PATIENCE_S", 0.1)
    with ExitStack() as held:
        for _ in range(site.AT_ONCE_PER_TENANT["probes"]):
            held.enter_context(ongoing.PROBES.one_of(tenant.pk))
        refused = send(client, "/v1/probe", {"input": film.pk})
    assert code_of(refused, 429) == "too_many_at_once"
    assert send(client, "/v1/probe", {"input": film.pk}).status_code == 200


def test_no_place_of_ffprobe_is_held_while_an_address_is_fetched(
    client: Client, tenant: Tenant, settings: Settings
) -> None:
    """That may take a minute; who waits for ffprobe does so for half of one."""
    seen: list[int] = []

    class Slow(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(ongoing.PROBES.taken(tenant.pk))
            seen.append(ongoing.QUESTIONS.taken(tenant.pk))
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        host = f"127.0.0.1:{server.server_port}"
        settings.URL_ALLOWLIST = frozenset((host,))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert pointers(send(client, "/v1/probe", {"input": f"http://{host}/a.mp4"})) == ["/input"]
        server.shutdown()
    assert seen[:2] == [0, 1]


def test_a_look_that_takes_too_long_is_a_job_s(
    client: Client, film: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = replace(probe.AT_THE_DOOR, wall_s=0.001)
    monkeypatch.setattr(probe, "AT_THE_DOOR", brief)
    # All frames: a look that is over before anybody is there to end it is not ended.
    refused = send(client, "/v1/probe", {"input": film.pk, "frames": True})
    assert pointers(refused) == ["/input"]
    (error,) = refused.json()["errors"]
    assert error["code"] == "deadline_exceeded"
    assert "make a job of it" in error["detail"]
