"""Names of files: whatever a tenant calls a thing, it is a name and never a path or an option."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.attacks.ground import Ground, check_failed, check_refused
from tests.attacks.hostile_containers import film
from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd, Page
from tests.harness.media import X264
from tests.harness.server import eventually

pytestmark = pytest.mark.slow

NAMES = {
    "an option": "-vf movie=x.mp4",
    "an option that writes": "-y /tmp/x.mp4",
    "two dashes": "--help.mp4",
    "a pattern": "%d.mp4",
    "a padded pattern": "film%05d.mp4",
    "a pattern for printf": "%n%n%s%s.mp4",
    "a glob": "*.mp4",
    "braces": "{a,b}.mp4",
    "a list for concat": "concat:a.mp4|b.mp4",
    "a bar": "a|b.mp4",
    "a protocol": "file:x.mp4",
    "subfile": "subfile,,start,0,end,9,,:x.mp4",
    "a pipe": "pipe:0",
    "traversal": "../../../../../../tmp/x.mp4",
    "windows traversal": "..\\..\\..\\x.mp4",
    "escaped traversal": "%2e%2e%2f%2e%2e%2fx.mp4",
    "twice escaped traversal": "%252e%252e%252fx.mp4",
    "overlong traversal": "..%c0%af..%c0%afx.mp4",
    "absolute": "/etc/passwd.mp4",
    "a descriptor": "/dev/fd/3",
    "NUL": "x\0y.mp4",
    "line end": "x\r\nSet-Cookie: a=b.mp4",
    "quotes": "\"'`x.mp4",
    "a shell": "$(touch x);`id`&& x.mp4",
    "markup": "<script>alert(1)</script>.mp4",
    "a template": "{{7*7}}{% debug %}${7*7}.mp4",
    "reading backwards": "film\u202e4pm.exe.mp4",
    "nothing to see": "\u200b\u2060\ufeff.mp4",
    "look-alike dots": "\u2024\u2024/\u2024\u2024/x.mp4",
    "full width": "\uff0e\uff0e\uff0fx.mp4",
    "parts of a letter": "e\u0301" * 100 + ".mp4",
    "stacked marks": "x" + "\u0301" * 300 + ".mp4",
    "only dots": "...",
    "only blanks": "   ",
    "nothing": "",
    "too long": "x" * 5000 + ".mp4",
    "blocked": "film.mp4.sh",
    "blocked with a dot": "film.exe.",
    "a stream on windows": "film.mp4::$DATA",
    "a device on windows": "CON.mp4",
    "an ending of its own": "film." + "x" * 200,
}


@pytest.fixture(scope="module")
def content() -> bytes:
    return film("film.mp4", *X264)


def _sent(alice: Customer, name: str, content: bytes) -> httpx.Response:
    """As the bytes are: our client would make another name of some of them."""
    said = name.replace("\\", "\\\\").replace('"', '\\"').encode()
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % said
    return alice.http.post(
        "/v1/files",
        content=head + content + b"\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )


def _is_plain(name: str) -> bool:
    is_visible = all(unicodedata.category(each) not in {"Cc", "Cf", "Cs"} for each in name)
    return is_visible and 0 < len(name) <= 255 and not set(name) & {"/", "\\"}


def _taken(alice: Customer, far_end: FarEnd, name: str, content: bytes) -> Iterator[Json]:
    """The file under that name, by every way on which a name comes."""
    url = far_end.serve("/plain.mp4", Page(content))
    far_end.serve(f"/{quote(name, safe='')}", Page(content))
    ways = [
        _sent(alice, name, content),
        alice.http.post("/v1/files", json={"url": url, "name": name}),
        alice.http.post("/v1/files", json={"url": far_end.at(f"/{quote(name, safe='')}")}),
    ]
    for answer in ways:
        if answer.status_code == 201:
            yield answer.json()
        else:
            check_refused(answer)


@pytest.mark.parametrize("what", NAMES)
def test_a_name_is_only_a_name(
    *, ground: Ground, alice: Customer, far_end: FarEnd, what: str, content: bytes
) -> None:
    for file in _taken(alice, far_end, NAMES[what], content):
        assert _is_plain(file["name"]), file["name"]
        [(key,)] = ground.site.rows(
            "SELECT storage_key FROM storage_file WHERE id = %s", file["id"]
        )
        assert key.endswith(f"{file['sha256']}-{file['id']}")
        served = alice.http.get(f"/v1/files/{file['id']}/content")
        assert served.content == content
        assert "set-cookie" not in served.headers


def test_a_name_does_no_harm_to_a_job(alice: Customer, far_end: FarEnd, content: bytes) -> None:
    """Of what is fetched, of what is made, and as something told: all of them at once."""
    taken = list[tuple[str, Json]]()
    for what, name in NAMES.items():
        url = far_end.serve(f"/{quote(name, safe='')}", Page(content))
        taken.extend((what, job) for job in _submitted(alice, url, name))
    assert len(taken) > len(NAMES) - 4  # some are refused by the name of the address already
    for what, job in taken:
        ended = alice.ended(job)
        if what.startswith("blocked"):  # by the name it was fetched under
            check_failed(ended)
        else:
            _check_output(ended)


def _submitted(alice: Customer, url: str, name: str) -> Iterator[Json]:
    """One job that is told the name everywhere, or one for each place that takes it."""
    everywhere = {"metadata": {"name": name}, "output_name": name}
    params = {"input": url, "count": 1, "format": "png"}
    body = {"operation": "video/thumbnails", "params": params}
    for options in (everywhere, *({key: value} for key, value in everywhere.items())):
        answer = alice.http.post("/v1/jobs", json=body | options)
        if answer.status_code == 202:
            yield answer.json()
            if options is everywhere:
                return
        else:
            check_refused(answer)


def _check_output(job: Json) -> None:
    assert job["status"] == "completed", job["error"]
    [output] = job["outputs"]
    assert _is_plain(output["name"]), output["name"]
    assert output["content_type"] == "image/png"


# Where, what it leads to, and how the job ends: another attempt begins in a folder of its own.
PLANTED = {
    "in place of the output": ("out/result.mp4", "{canary}", ("failed", 1)),
    "in place of the next input": ("in/1.mp4", "{canary}", ("completed", 2)),
    "in place of a folder": ("out/sub", "{folder}", ("completed", 1)),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_symlink_in_the_folder_is_not_followed(
    *, ground: Ground, alice: Customer, far_end: FarEnd, what: str, content: bytes
) -> None:
    """As if FFmpeg had been taken over and could make one, which the sandbox denies it."""
    place, target, outcome = PLANTED[what]
    canaries = ground.canaries
    to = target.format(canary=canaries.at("private.mp4"), folder=canaries.folder)
    second = far_end.serve("/second.mp4", Page(content))
    with far_end.held("/held.mp4", content) as (url, release):
        job = alice.submit("video/concat", {"inputs": [url, second]})
        assert eventually(lambda: bool(ground.site.scratch_of(job)), within_s=20)
        [scratch] = ground.site.scratch_of(job)
        assert eventually((scratch / "in" / "0.mp4").exists, within_s=5)
        (scratch / place).symlink_to(to)
        release()
        ended = alice.ended(job)
    assert (ended["status"], ended["attempt"]) == outcome, ended["error"]
