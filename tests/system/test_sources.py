"""Films as they come: strange ones are done right, broken ones are told of."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd, Page
from tests.harness.measure import frame_times, probe
from tests.harness.media import FFMPEG, Samples

pytestmark = pytest.mark.slow

QUICK = {"when_conformant": "encode", "preset": "fast"}


def _transcoded(alice: Customer, source: Path, folder: Path, **params: Any) -> Path:
    file = alice.upload(source)
    job = alice.completed(alice.submit("transcode", {"input": file["id"]} | QUICK | params))
    assert job["warnings"] == []
    [output] = job["outputs"]
    return alice.download(output, folder)


def test_without_sound(alice: Customer, media: Samples, folder: Path) -> None:
    made = probe(_transcoded(alice, media.path("silent_film"), folder))
    assert made.video
    assert made.audio == ()
    assert made.duration_s == pytest.approx(3, abs=0.04)


def test_sound_from_a_film_without_any_is_refused_at_once(alice: Customer, media: Samples) -> None:
    params = {"input": alice.upload(media.path("silent_film"))["id"]}
    answer = alice.http.post("/v1/jobs", json={"operation": "audio/extract", "params": params})
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/params/input"]


def test_an_odd_size_loses_its_odd_lines(alice: Customer, media: Samples, folder: Path) -> None:
    made = probe(_transcoded(alice, media.path("odd_film"), folder))
    assert made.video
    assert (made.video.width, made.video.height) == (320, 180)
    assert made.video.pix_fmt == "yuv420p"


def test_a_phones_film_is_turned_upright(alice: Customer, media: Samples, folder: Path) -> None:
    file = alice.upload(media.path("rotated_film"))
    video = file["media"]["video"]
    assert (video["width"], video["height"], abs(video["rotation"])) == (360, 640, 90)
    made = probe(_transcoded(alice, media.path("rotated_film"), folder))
    assert made.video
    assert (made.video.coded_width, made.video.coded_height) == (360, 640)
    assert made.video.rotation == 0


def test_varying_times_of_frames_are_kept(alice: Customer, media: Samples, folder: Path) -> None:
    source = media.path("varying_film")
    before, after = frame_times(source), frame_times(_transcoded(alice, source, folder))
    assert len(before) == len(after)
    assert after == pytest.approx(before, abs=0.002)


def test_surround_stays_surround_unless_asked(
    alice: Customer, media: Samples, folder: Path
) -> None:
    source = media.path("surround_film")
    [as_it_is] = probe(_transcoded(alice, source, folder)).audio
    assert (as_it_is.codec, as_it_is.channels) == ("aac", 6)
    [stereo] = probe(_transcoded(alice, source, folder, channels=2)).audio
    assert stereo.channels == 2


def test_ten_bits_become_what_every_player_shows(
    alice: Customer, media: Samples, folder: Path
) -> None:
    source = media.path("deep_film")
    assert alice.upload(source)["media"]["video"]["bit_depth"] == 10
    made = probe(_transcoded(alice, source, folder))
    assert made.video
    assert (made.video.codec, made.video.pix_fmt) == ("h264", "yuv420p")


def test_names_in_any_script(alice: Customer, media: Samples, folder: Path) -> None:
    name = "Übergrößen — 東京 🎬.mp4"
    file = alice.upload(media.path("red"), name)
    assert file["name"] == name
    job = alice.submit("transcode", {"input": file["id"]} | QUICK, output_name="Ergebnis Ω.mp4")
    [output] = alice.completed(job)["outputs"]
    assert output["name"] == "Ergebnis Ω.mp4"
    made = alice.download(output, folder)
    assert len(frame_times(made)) == 50
    content = alice.http.get(f"/v1/files/{output['file']}/content")
    assert "filename*=utf-8''Ergebnis%20%CE%A9.mp4" in content.headers["Content-Disposition"]


@pytest.fixture(scope="session")
def whole(media: Samples, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A film with its index in front, one without an index, and one of packets."""
    source, folder, made = media.path("film"), tmp_path_factory.mktemp("films"), {}
    for kind, args in {"mp4": ("-movflags", "+faststart"), "mkv": (), "ts": ()}.items():
        path = folder / f"whole.{kind}"
        subprocess.run([*FFMPEG, "-i", source, "-c", "copy", *args, path], check=True)
        made[kind] = path.read_bytes()
    return made


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("share", [0.3, 0.6])
@pytest.mark.parametrize("params", [QUICK, {"when_conformant": "copy"}], ids=["encode", "copy"])
def test_a_film_cut_short_is_never_passed_off_as_whole(
    alice: Customer, whole: dict[str, bytes], kind: str, share: float, params: Json
) -> None:
    part = whole[kind][: int(len(whole[kind]) * share)]
    uploaded = alice.send_file(part, f"part.{kind}")
    if uploaded.status_code == 201:
        asked = {"input": uploaded.json()["id"], "output_format": "mp4"} | params
        answer = alice.http.post("/v1/jobs", json={"operation": "transcode", "params": asked})
        _check_is_told(alice, answer.json() if answer.status_code == 202 else None)
    else:
        assert uploaded.status_code == 422, uploaded.text


def _check_is_told(alice: Customer, job: Json | None) -> None:
    ended = alice.ended(job) if job else {"status": "refused"}
    assert ended["status"] != "completed" or ended["warnings"], ended


def test_the_same_from_an_address(
    alice: Customer, whole: dict[str, bytes], far_end: FarEnd
) -> None:
    url = far_end.serve("/part.mkv", Page(whole["mkv"][: len(whole["mkv"]) // 2]))
    ended = alice.ended(alice.submit("transcode", {"input": url} | QUICK))
    assert ended["status"] == "failed" or "breaks off" in str(ended["warnings"])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"This is a letter, and no film.\n" * 40, "media_type_mismatch"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(4000), "media_unreadable"),
        (b"<html><body>404</body></html>", "file_type_refused"),
    ],
    ids=["nothing", "text", "only a beginning", "page"],
)
def test_what_is_no_film_is_refused_as_a_file(alice: Customer, content: bytes, code: str) -> None:
    answer = alice.send_file(content, "film.mp4")
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/file", code)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"This is a letter, and no film.\n" * 40, "media_type_mismatch")],
    ids=["nothing", "text"],
)
def test_what_is_no_film_fails_from_an_address(
    alice: Customer, far_end: FarEnd, content: bytes, code: str
) -> None:
    url = far_end.serve("/no-film.mp4", Page(content))
    ended = alice.ended(alice.submit("transcode", {"input": url}))
    assert (ended["status"], ended["attempt"], ended["outputs"]) == ("failed", 1, [])
    assert ended["error"]["code"] == code
    assert ended["error"]["title"]
    assert ended["error"]["detail"]
