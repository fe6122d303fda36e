"""The main path over REST, from an upload to measured results."""

from __future__ import annotations

import hashlib
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd, Page
from tests.harness.measure import ffprobe, frame_times, loudness, probe
from tests.harness.media import Samples

pytestmark = pytest.mark.slow


def test_it_works(alice: Customer, media: Samples, folder: Path) -> None:
    source = alice.upload(media.path("film_mkv"))
    assert source["media"]["video"]["codec"] == "h264"
    size = {"width": 320, "height": 180}
    params = {"input": source["id"], "output_format": "mp4", "resolution": size, "crf": 28}
    job = alice.completed(alice.submit("transcode", params, output_name="small.mp4"))
    assert (job["attempt"], job["device"], job["warnings"]) == (1, "cpu", [])
    assert (job["progress"]["percent"], job["error"]) == (100.0, None)
    [output] = job["outputs"]
    made = alice.download(output, folder)
    content = made.read_bytes()
    assert (output["name"], output["content_type"]) == ("small.mp4", "video/mp4")
    assert output["size_bytes"] == len(content) == job["usage"]["output_bytes"]
    assert output["sha256"] == hashlib.sha256(content).hexdigest()
    info = probe(made)
    assert info.video
    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 320, 180)
    assert [track.codec for track in info.audio] == ["aac"]
    assert info.video.fps == 25
    assert len(frame_times(made)) == 100
    assert output["duration_seconds"] == pytest.approx(4, abs=0.04)
    assert content.index(b"moov") < content.index(b"mdat")
    assert "$ ffmpeg" in alice.log(job)


def test_a_stated_rate_is_kept_to_the_frame(alice: Customer, media: Samples, folder: Path) -> None:
    source = alice.upload(media.path("varying_film"))
    params = {"input": source["id"], "fps": 30, "preset": "fast"}
    [output] = alice.completed(alice.submit("transcode", params))["outputs"]
    times = frame_times(alice.download(output, folder))
    assert len(times) == 120
    gaps = {round(after - before, 3) for before, after in pairwise(times)}
    assert gaps <= {0.033, 0.034}


def test_sound_keeps_its_distance_to_the_picture(
    alice: Customer, media: Samples, folder: Path
) -> None:
    source = media.path("late_sound")
    params = {"input": alice.upload(source)["id"], "crf": 35, "audio_bitrate": "64k"}
    [output] = alice.completed(alice.submit("transcode", params))["outputs"]
    assert _offset_s(source) == pytest.approx(0.5, abs=0.03)
    assert _offset_s(alice.download(output, folder)) == pytest.approx(_offset_s(source), abs=0.022)


def _offset_s(path: Path) -> float:
    """By how much the sound begins after the picture."""
    told = ffprobe("-show_entries", "stream=codec_type,start_time", path)
    starts = {each["codec_type"]: float(each["start_time"]) for each in told["streams"]}
    return starts["audio"] - starts["video"]


def test_events_tell_of_the_work_while_it_is_done(alice: Customer, media: Samples) -> None:
    source = alice.upload(media.path("smart_film"))
    job = alice.submit("transcode", {"input": source["id"], "crf": 20, "preset": "quality"})
    told = list(alice.events(job))
    states = [each["status"] for each in told]
    percents = [each["progress"]["percent"] for each in told]
    assert set(states) <= {"queued", "running", "completed"}
    assert states[-1] == "completed"
    assert percents == sorted(percents)
    assert [percent for percent in percents if 0 < percent < 100]
    assert told[-1] == alice.job(job["id"]) | {"outputs": told[-1]["outputs"]}
    assert "encoding" in {each["progress"]["stage"] for each in told}


def test_a_waiting_client_gets_the_finished_job(alice: Customer, media: Samples) -> None:
    body = {"operation": "transcode", "params": {"input": alice.upload(media.path("red"))["id"]}}
    answer = alice.http.post("/v1/jobs", json=body, headers={"Prefer": "wait=50"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=50")
    assert answer.json()["status"] == "completed"
    assert len(answer.json()["outputs"]) == 1


def test_a_client_does_not_wait_longer_than_it_prefers(
    alice: Customer, media: Samples, far_end: FarEnd
) -> None:
    with far_end.held("/slow.mp4", media.path("red").read_bytes()) as (url, release):
        body = {"input_url": url}
        began = time.monotonic()
        answer = alice.http.post("/v1/transcode", json=body, headers={"Prefer": "wait=1"})
        assert 1 <= time.monotonic() - began < 10
        assert answer.status_code == 202
        assert answer.json()["status"] in {"queued", "running"}
        release()
        alice.completed(answer.json())


def test_outputs_can_be_read_in_parts(alice: Customer, media: Samples) -> None:
    job = alice.submit("transcode", {"input": alice.upload(media.path("red"))["id"]})
    [output] = alice.completed(job)["outputs"]
    at = f"/v1/files/{output['file']}/content"
    part = alice.http.get(at, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    again = alice.http.get(at, headers={"If-None-Match": part.headers["ETag"]})
    assert again.status_code == 304


# As the documents print them, but for the address.
PRINTED: list[tuple[str, str, dict[str, Any]]] = [
    (
        "transcode",
        "red",
        {
            "input_url": "",
            "output_format": "mp4",
            "video_codec": "h264",
            "audio_codec": "aac",
            "preset": "balanced",
            "crf": 23,
            "resolution": "1080p",
            "fps": 30,
        },
    ),
    (
        "video/filter",
        "red",
        {
            "input_url": "",
            "filters": [
                {"type": "blur", "params": {"sigma": 5}},
                {"type": "brightness", "params": {"value": 0.2}},
                {"type": "contrast", "params": {"value": 1.5}},
            ],
            "output_name": "filtered.mp4",
        },
    ),
    (
        "video/thumbnails",
        "film",
        {"video_url": "", "count": 5, "method": "smart", "width": 320, "height": 180},
    ),
    (
        "audio/extract",
        "film",
        {"video_url": "", "format": "mp3", "bitrate": "192k", "sample_rate": 48000},
    ),
    ("audio/normalize", "quiet_music", {"input_url": "", "target_lufs": -16, "true_peak": -1.0}),
]


@pytest.mark.parametrize(("path", "sample", "body"), PRINTED, ids=[path for path, *_ in PRINTED])
def test_printed_bodies_work(
    *,
    alice: Customer,
    media: Samples,
    far_end: FarEnd,
    folder: Path,
    path: str,
    sample: str,
    body: dict[str, Any],
) -> None:
    source = media.path(sample)
    url = far_end.serve(f"/{source.name}", Page(source.read_bytes()))
    sent = {name: url if name.endswith("_url") else value for name, value in body.items()}
    answer = alice.http.post(f"/v1/{path}", json=sent)
    assert answer.status_code == 202, answer.text
    job = alice.completed(answer.json())
    made = [alice.download(output, folder) for output in job["outputs"]]
    MEASURED[path](made)


def _is_full_hd(made: list[Path]) -> None:
    info = probe(made[0])
    assert info.video
    assert (info.video.width, info.video.height, info.video.fps) == (1920, 1080, 30)
    assert len(frame_times(made[0])) == 60


def _is_named(made: list[Path]) -> None:
    assert [path.name for path in made] == ["filtered.mp4"]
    assert len(frame_times(made[0])) == 50


def _are_five_pictures(made: list[Path]) -> None:
    sizes = [(info.video.width, info.video.height) for p in made if (info := probe(p)).video]
    assert sizes == [(320, 180)] * 5


def _is_mp3(made: list[Path]) -> None:
    info = probe(made[0])
    assert info.video is None
    assert [(track.codec, track.sample_rate) for track in info.audio] == [("mp3", 48000)]
    assert info.audio[0].bit_rate == pytest.approx(192_000, rel=0.02)


def _is_as_loud_as_asked(made: list[Path]) -> None:
    integrated, peak = loudness(made[0])
    assert integrated == pytest.approx(-16, abs=0.5)
    assert peak <= -0.9


MEASURED = {
    "transcode": _is_full_hd,
    "video/filter": _is_named,
    "video/thumbnails": _are_five_pictures,
    "audio/extract": _is_mp3,
    "audio/normalize": _is_as_loud_as_asked,
}
