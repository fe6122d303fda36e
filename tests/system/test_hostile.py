"""Playlists and addresses that lead where a tenant may not go: refused, and nothing was touched."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.harness.customer import Customer, Json
from tests.harness.far_end import Canary, FarEnd, Page, moved
from tests.harness.media import Samples
from tests.harness.server import eventually
from tests.harness.site import Site

pytestmark = pytest.mark.slow

MPD = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT4S"><Period><AdaptationSet mimeType="video/mp4">
<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL></Representation></AdaptationSet>
</Period></MPD>"""
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n",
    "hls after blanks": "\n\n  #EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{target}\n",
    "hls key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:4,\nx.ts\n',
    "hls map": '#EXTM3U\n#EXT-X-MAP:URI="{target}"\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n',
    "concat": "ffconcat version 1.0\nfile '{target}'\noption safe 0\n",
    "dash": MPD,
    "sdp": SDP,
}
CODES = {
    "url_address_not_allowed",
    "url_invalid",
    "url_scheme_not_allowed",
    "url_has_credentials",
    "invalid",
}


@dataclass(frozen=True)
class Trap:
    """What must not be read or reached."""

    word: str
    path: Path
    port: Canary

    def targets(self, site: Site, stolen: Json) -> dict[str, str]:
        [(key,)] = site.rows("SELECT storage_key FROM storage_file WHERE id = %s", stolen["id"])
        media = site.server.folder / "media" / key
        assert media.exists()
        return {
            "file": f"file://{self.path}",
            "path": str(self.path),
            "way up": f"../../../../../../../../..{self.path}",
            "listener": f"http://127.0.0.1:{self.port.port}/x.ts",
            "another tenant's": str(media),
        }


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    word = f"canary-{secrets.token_hex(8)}"
    path = tmp_path / "secret.ts"
    path.write_text(f"{word}\n" * 100)
    path.chmod(0o644)
    with Canary() as canary:
        yield Trap(word, path, canary)
        assert canary.visits == 0


@pytest.fixture
def stolen(bob: Customer, media: Samples) -> Json:
    """A film of the other tenant."""
    return bob.upload(media.path("red"))


def _written(kind: str, target: str, trap: Trap) -> bytes:
    return PLAYLISTS[kind].format(target=target, port=trap.port.port).encode()


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_that_calls_itself_a_film_is_not_taken(
    *, site: Site, alice: Customer, trap: Trap, stolen: Json, kind: str
) -> None:
    for target in trap.targets(site, stolen).values():
        answer = alice.send_file(_written(kind, target, trap), "film.mp4")
        assert answer.status_code == 422, (target, answer.text)
        assert answer.json()["errors"][0]["pointer"] == "/file"
        assert trap.word not in answer.text


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_from_an_address_fails_cleanly(  # one job for each target
    *, site: Site, alice: Customer, far_end: FarEnd, trap: Trap, stolen: Json, kind: str
) -> None:
    for name, target in trap.targets(site, stolen).items():
        page = Page(_written(kind, target, trap), headers={"Content-Type": "video/mp4"})
        job = alice.submit("transcode", {"input": far_end.serve("/film.mp4", page)})
        ended = alice.ended(job)
        assert (ended["status"], ended["outputs"]) == ("failed", []), name
        assert ended["attempt"] == 1
        assert ended["error"]["code"] != "internal_error"
        _check_nothing_leaked(alice, ended, trap)


def test_a_playlist_is_not_probed_either(alice: Customer, far_end: FarEnd, trap: Trap) -> None:
    for kind in PLAYLISTS:
        url = far_end.serve("/film.mp4", Page(_written(kind, str(trap.path), trap)))
        answer = alice.http.post("/v1/probe", json={"input_url": url})
        assert answer.status_code == 422, answer.text
        assert trap.word not in answer.text


def test_a_playlist_between_films_is_not_joined(
    *, site: Site, alice: Customer, media: Samples, far_end: FarEnd, trap: Trap, stolen: Json
) -> None:
    film = alice.upload(media.path("red"))["id"]
    for target in trap.targets(site, stolen).values():
        url = far_end.serve("/second.mp4", Page(_written("hls", target, trap)))
        ended = alice.ended(alice.submit("video/concat", {"inputs": [film, url]}))
        assert (ended["status"], ended["outputs"]) == ("failed", [])
        _check_nothing_leaked(alice, ended, trap)


def _check_nothing_leaked(alice: Customer, job: Json, trap: Trap) -> None:
    told = alice.log(job) + str(job)
    assert trap.word not in told
    assert str(trap.path.parent) not in told.replace(str(job["params"]), "")


def _spellings(port: int) -> list[str]:
    return [
        f"http://127.0.0.1:{port}/a.mp4",
        f"http://localhost:{port}/a.mp4",
        f"http://LOCALHOST.:{port}/a.mp4",
        f"http://2130706433:{port}/a.mp4",
        f"http://0x7f000001:{port}/a.mp4",
        f"http://0x7f.1:{port}/a.mp4",
        f"http://0177.0.0.1:{port}/a.mp4",
        f"http://127.1:{port}/a.mp4",
        f"http://127.0.0.1.:{port}/a.mp4",
        f"http://0.0.0.0:{port}/a.mp4",
        f"http://[::1]:{port}/a.mp4",
        f"http://[::ffff:127.0.0.1]:{port}/a.mp4",
        f"http://[64:ff9b::7f00:1]:{port}/a.mp4",
        f"http://\u2460\u2461\u2466.0.0.1:{port}/a.mp4",
        f"http://example.org@127.0.0.1:{port}/a.mp4",
        f"http://127.0.0.1:{port}\\@example.org/a.mp4",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/latest/meta-data/",
        "http://0xa9fea9fe/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://10.0.0.1/a.mp4",
        "file:///etc/passwd",
        "concat:/etc/passwd",
        "ftp://127.0.0.1/a.mp4",
    ]


FIELDS: dict[str, tuple[str, Json, str]] = {
    "source": ("/v1/jobs", {"operation": "transcode", "params": {"input": ...}}, "/params/input"),
    "flat source": ("/v1/transcode", {"input_url": ...}, "/input_url"),
    "probed": ("/v1/probe", {"input_url": ...}, "/input_url"),
    "imported": ("/v1/files", {"url": ...}, "/url"),
    "webhook": ("/v1/transcode", {"input_url": "https://192.0.2.1/a", "webhook_url": ...}, ""),
}


def _filled(body: Json, url: str) -> Json:
    return {
        name: url if value is ... else _filled(value, url) if isinstance(value, dict) else value
        for name, value in body.items()
    }


@pytest.mark.parametrize("field", FIELDS)
def test_inside_addresses_are_refused_in_every_spelling(
    alice: Customer, trap: Trap, field: str
) -> None:
    path, body, pointer = FIELDS[field]
    for url in _spellings(trap.port.port):
        answer = alice.http.post(path, json=_filled(body, url))
        assert answer.status_code == 422, (url, answer.text)
        errors = {each["pointer"]: each["code"] for each in answer.json()["errors"]}
        wrong = pointer or "/webhook_url"
        assert errors[wrong] in CODES, (url, errors)


def _redirects(far_end: FarEnd, port: int) -> Iterator[str]:
    for number, url in enumerate(_spellings(port)):
        if url.isascii():
            yield far_end.serve(f"/moved-{number}.mp4", moved(url))
    first = far_end.serve("/two-steps.mp4", moved("/moved-16.mp4"))
    yield first


def test_a_redirect_inside_is_not_followed_by_an_import(
    alice: Customer, far_end: FarEnd, trap: Trap
) -> None:
    for url in _redirects(far_end, trap.port.port):
        answer = alice.http.post("/v1/files", json={"url": url})
        assert _code(answer) in CODES, (far_end.pages, answer.text)


def _code(answer: httpx.Response) -> str:
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    return str(error["code"])


def test_a_redirect_inside_is_not_followed_by_a_job(
    alice: Customer, far_end: FarEnd, trap: Trap
) -> None:
    urls = list(_redirects(far_end, trap.port.port))
    jobs = [alice.submit("transcode", {"input": url}) for url in urls]
    for job in jobs:
        ended = alice.ended(job)
        assert (ended["status"], ended["attempt"]) == ("failed", 1)
        assert ended["error"]["code"] in CODES


def test_a_redirect_inside_is_not_followed_by_a_webhook(
    *, site: Site, alice: Customer, far_end: FarEnd, media: Samples, trap: Trap
) -> None:
    far_end.statuses["/turn"] = [302]
    far_end.pages["/turn"] = moved("http://169.254.169.254/latest/meta-data/")
    source = alice.upload(media.path("red"))["id"]
    job = alice.submit("transcode", {"input": source}, webhook_url=far_end.at("/turn"))
    alice.completed(job)
    query = "SELECT last_status FROM media_jobs_webhookdelivery WHERE job_id = %s"
    assert eventually(lambda: site.rows(query, job["id"])[0][0] == 302, within_s=20)
