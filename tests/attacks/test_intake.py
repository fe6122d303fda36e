"""Files that lie about what they are, lead outside, or ask for too much: refused at the door.

Each goes through the API, both as an upload and from an address. A refusal is a 4xx that names the
field, soon, with nothing stored, nothing left over and no process that grew.
"""

from __future__ import annotations

import resource
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from storage.models import File
from tests.attacks import intake_files
from tests.attacks.intake_files import BOMBS, HARMLESS, avi_with_playlist, box, outside, sounds
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.media import FFMPEG, Samples
from tests.lib.hostile_server import HostileServer, answering, ok

pytestmark = pytest.mark.django_db

SOON_S = 15
LARGEST_PROCESS_KB = 700_000
M3U8 = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><x>&b;</x>'


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, settings: Settings) -> None:
    options = settings.STORAGES["media"]["OPTIONS"] | {"location": str(tmp_path / "media")}
    media = settings.STORAGES["media"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"media": media}
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "uploads")
    settings.SCRATCH_DIR = settings.SCRATCH_DIR / "intake"
    (tmp_path / "uploads").mkdir()


@pytest.fixture(autouse=True, scope="module")
def _largest_before() -> None:
    """Other modules of this process may have run larger ones; then growth still shows."""
    global LARGEST_PROCESS_KB  # noqa: PLW0603 -- the kernel's figure is of the whole process too
    LARGEST_PROCESS_KB = max(LARGEST_PROCESS_KB, _largest_process_kb() + 1)


def _largest_process_kb() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


@pytest.fixture
def client() -> Client:
    return client_of(TenantFactory.create())


def sent(client: Client, content: bytes, name: str, declared: str | None = None) -> Any:
    upload = SimpleUploadedFile("x", content, content_type=declared or "application/octet-stream")
    vars(upload)["_name"] = name
    return client.post("/v1/files", {"file": upload})


def fetched(client: Client, path: str, content: bytes, name: str, declared: str = "") -> Any:
    """Have it fetched: by an import (``/v1/files``) or for an answer at once (``/v1/probe``)."""
    said = (f"Content-Type: {declared}",) if declared else ()
    with HostileServer(answering(ok(content, *said))) as server:
        body = {"url" if path == "/v1/files" else "input": f"{server.url}/{name}"}
        return client.post(path, body, content_type="application/json")


@pytest.fixture
def reach_this_machine(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_IPS = True


def refusal(response: Any, settings: Settings) -> str:
    """Check that it is a clean refusal; give its code."""
    assert response.status_code == 422, response.content
    [error] = response.json()["errors"]
    assert error["pointer"] in {"/file", "/url", "/input"}
    assert error["detail"]
    assert not File.objects.exists()
    assert list(Path(str(settings.FILE_UPLOAD_TEMP_DIR)).iterdir()) == []
    assert not settings.SCRATCH_DIR.exists() or not list(settings.SCRATCH_DIR.iterdir())
    assert _largest_process_kb() < LARGEST_PROCESS_KB
    return str(error["code"])


# What is no medium but would make FFmpeg open something else, or draw letters.
POINTING: dict[str, tuple[str, bytes]] = {
    "hls": ("a.mp4", M3U8),
    "hls as subtitles": ("a.srt", M3U8),
    "hls by its name": ("a.m3u8", b"\0\1\2\3" * 100),
    "hls after blanks": ("a.ts", b"\n \n\0" + M3U8),
    "hls after a mark": ("a.ts", b"\xef\xbb\xbf" + M3U8),
    "ffconcat": ("a.mp4", b"ffconcat version 1.0\nfile /etc/passwd\noption safe 0\n"),
    "dash": ("a.mp4", b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>'),
    "dash, late": ("a.vtt", b"WEBVTT\n" + b" " * 9000 + b"<MPD type='static'>"),
    "smooth streaming": ("a.ism", b"<SmoothStreamingMedia/>"),
    "imf": ("a.mp4", b'<?xml version="1.0"?><CompositionPlaylist/>'),
    "sdp": ("a.sdp", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\n"),
    "pls": ("a.mp3", b"[playlist]\nFile1=/etc/passwd\n"),
    "asx": ("a.wmv", b'<ASX version="3.0"><entry><ref href="file:///etc/passwd"/>'),
    "smil": ("a.mp4", b'<smil><body><video src="/etc/passwd"/></body></smil>'),
    "gab2": ("a.avi", avi_with_playlist(M3U8)),
    "gab2 as mp4": ("a.mp4", avi_with_playlist(M3U8)),
    "dref": ("a.mov", sounds(1, outside("file:///etc/passwd"))),
    "dref to http": ("a.mp4", sounds(1, outside("http://127.0.0.1:9/a.mp4"))),
    "dref by alias": ("a.mov", sounds(1, outside("/etc/passwd", b"alis"))),
    "reference movie": ("a.mov", box(b"moov", box(b"rmra", box(b"rmda", b"")))),
    "svg": ("a.png", SVG),
    "svg behind a comment": ("a.svg", b'<?xml version="1.0"?><!-- x -->' + SVG),
    "svg with entities": ("a.svg", b'<!DOCTYPE svg [<!ENTITY x SYSTEM "/etc/passwd">]>' + SVG),
    "laughs": ("a.mp4", LAUGHS),
    "mvg": ("a.png", b"push graphic-context\nimage over 0,0 0,0 'file:///etc/passwd'\n"),
    "postscript": ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n"),
    "postscript in a shell": ("a.eps", b"\xc5\xd0\xd3\xc6" + bytes(100)),
    "pdf": ("a.png", b"%PDF-1.7\n"),
    "html": ("a.mp4", b"<!DOCTYPE html><script>fetch('/v1/files')</script>"),
    "letters to draw": ("a.nfo", b"\x1b[2J\x1b[31mdraw me\n" * 100),
    "letters in a film": ("a.mp4", b"just letters\n" * 1000),
    "ansi art": ("a.ans", b"\x1b[0m" + bytes(range(128, 250)) * 20),
}
POINTING_CODES = {
    "playlist_refused",
    "file_type_refused",
    "media_type_mismatch",
    "media_unreadable",
}


@pytest.mark.parametrize("case", POINTING)
def test_what_points_elsewhere_is_no_upload(client: Client, settings: Settings, case: str) -> None:
    name, content = POINTING[case]
    assert refusal(sent(client, content, name), settings) in POINTING_CODES


@pytest.mark.usefixtures("reach_this_machine")
@pytest.mark.parametrize("path", ["/v1/files", "/v1/probe"])
@pytest.mark.parametrize("case", POINTING)
def test_what_points_elsewhere_is_not_taken_from_an_address(
    client: Client, settings: Settings, case: str, path: str
) -> None:
    name, content = POINTING[case]
    code = refusal(fetched(client, path, content, name, "video/mp4"), settings)
    assert code in POINTING_CODES | {"no_streams", "not_a_medium", "input_unreadable"}


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(
    client: Client, settings: Settings, case: str
) -> None:
    name, make, codes = BOMBS[case]
    content = make()
    started = time.monotonic()
    response = sent(client, content, name)
    assert refusal(response, settings) in codes
    assert time.monotonic() - started < SOON_S
    if any(code.startswith("too_") for code in codes):
        detail = response.json()["errors"][0]["detail"]
        assert str(settings.MAX_PIXELS) in detail or str(settings.MAX_STREAMS) in detail


@pytest.mark.usefixtures("reach_this_machine")
@pytest.mark.parametrize("case", [case for case in BOMBS if "whole" not in case])
def test_a_bomb_from_an_address_is_refused(client: Client, settings: Settings, case: str) -> None:
    name, make, codes = BOMBS[case]
    code = refusal(fetched(client, "/v1/probe", make(), name), settings)
    assert code in codes | {"input_unreadable", "input_truncated", "no_streams"}


@pytest.mark.parametrize("case", HARMLESS)
def test_a_text_that_unpacks_to_a_gigabyte_does_not_go_off(
    client: Client, settings: Settings, case: str
) -> None:
    """FFmpeg leaves it packed, but for a colour profile since its version 6."""
    content = HARMLESS[case]()
    assert len(content) < 2_000_000
    started = time.monotonic()
    response = sent(client, content, "a.png")
    assert response.status_code == 201 or refusal(response, settings) == "media_unreadable"
    assert time.monotonic() - started < SOON_S
    assert _largest_process_kb() < LARGEST_PROCESS_KB


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_forty_frames_may_not_last_forty_days(
    client: Client, settings: Settings, tmp_path: Path, kind: str
) -> None:
    film = tmp_path / f"long.{kind}"
    stretched = ("-vf", "setpts=N*86400/TB", "-fps_mode", "passthrough", "-c:v", "libx264")
    source = ("-f", "lavfi", "-i", "color=black:s=64x64:r=25:d=1.6")
    # Ticks so coarse that a day of them can be written down as the length of one frame.
    coarse = ("-video_track_timescale", "100") if kind == "mp4" else ()
    command = [*FFMPEG, *source, *stretched, *coarse, film]
    # FFmpeg warns of the gaps of the film that it is asked for.
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    response = sent(client, film.read_bytes(), film.name)
    assert refusal(response, settings) == "too_long"
    assert "at most 86400 s" in response.json()["errors"][0]["detail"]


def test_each_limit_is_a_setting(client: Client, settings: Settings, media: Samples) -> None:
    film = media.path("film").read_bytes()  # 640 x 360, 4 s at 25 frames a second, with sound
    for name, limit, code in (
        ("MAX_PIXELS", 640 * 360, "too_many_pixels"),
        ("MAX_FRAMES", 100, "too_many_frames"),
        ("MAX_DURATION_SECONDS", 5, "too_long"),
        ("MAX_STREAMS", 2, "too_many_streams"),
    ):
        with_room = getattr(settings, name)
        setattr(settings, name, limit)
        assert sent(client, film, "a.mp4").status_code == 201, name
        File.objects.all().delete()
        setattr(settings, name, limit - 1 if limit != 5 else 3)
        assert refusal(sent(client, film, "a.mp4"), settings) == code
        setattr(settings, name, with_room)


# Name, declared type, and whether the film (or the picture) inside may come in under them.
TYPES: list[tuple[str, str, str, bool]] = [
    ("film", "a.mp4", "video/mp4", True),
    ("film", "a.mp4", "", True),
    ("film", "a.mp4", "application/octet-stream", True),
    ("film", "a.mp4", "text/plain", True),
    ("film", "a.m4a", "audio/mp4", True),
    ("film", "noname", "video/quicktime", True),
    ("film", "a.mp4", "text/html", False),
    ("film", "a.mp4", "application/x-mpegURL", False),
    ("film", "a.mp4", "application/dash+xml", False),
    ("film", "a.mp4", "application/zip", False),
    ("film", "a.mp4", "image/png", False),
    ("film", "a.png", "video/mp4", False),
    ("film", "a.srt", "video/mp4", False),
    ("film", "a.ttf", "video/mp4", False),
    ("photo", "a.jpg", "image/jpeg", True),
    ("photo", "a.png", "image/png", True),
    ("photo", "a.mp4", "image/jpeg", False),
    ("photo", "a.jpg", "video/mp4", False),
    ("photo", "a.jpg", "image/svg+xml", False),
]


@pytest.mark.parametrize(("sample", "name", "declared", "taken"), TYPES)
def test_bytes_are_held_against_name_and_type(
    *,
    client: Client,
    settings: Settings,
    media: Samples,
    sample: str,
    name: str,
    declared: str,
    taken: bool,
) -> None:
    response = sent(client, media.path(sample).read_bytes(), name, declared)
    if taken:
        assert response.status_code == 201, response.content
    else:
        assert refusal(response, settings) in {"media_type_mismatch", "playlist_refused"}


@pytest.mark.usefixtures("reach_this_machine")
@pytest.mark.parametrize("name", ["a.exe", "a.mp4.SH", "a.bat%20", "%2e%2e/a.exe"])
def test_blocked_names_are_blocked_from_an_address_too(
    client: Client, settings: Settings, media: Samples, name: str
) -> None:
    content = media.path("film").read_bytes()
    for path in ("/v1/files", "/v1/probe"):
        assert refusal(fetched(client, path, content, name), settings) == "extension_blocked"


def test_a_film_whose_index_is_at_its_end_is_taken(client: Client, media: Samples) -> None:
    """The checks of boxes and streams find nothing wrong with ordinary files."""
    for sample in ("film", "film_mkv", "photo", "logo", "quiet_music", "surround_film"):
        path = media.path(sample)
        assert sent(client, path.read_bytes(), path.name).status_code == 201, sample
    assert sent(client, sounds(3), "a.mov").status_code == 201
    assert sent(client, intake_files.many_streams(100), "a.mkv").status_code == 201
