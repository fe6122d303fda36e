from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from media_jobs import sandbox
from media_jobs.ffmpeg.demuxers import pin
from media_jobs.ffmpeg.media_info import PROBE_ARGS, MediaInfo, number, rate
from tests.harness.media import Samples
from tests.harness.programs import FFPROBE_PATH


def test_it_works(media: Samples) -> None:
    info = media("film").info
    assert info.video is not None
    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 640, 360)
    assert (info.video.fps, info.video.frames, info.video.is_vfr) == (25, 100, False)
    assert (info.audio[0].codec, info.audio[0].sample_rate) == ("aac", 48000)
    assert info.duration_s == pytest.approx(4, abs=0.03)
    assert info.size_bytes == media.path("film").stat().st_size


@pytest.mark.parametrize(
    "name", ["film", "film_mkv", "surround_film", "quiet_music", "photo", "rotated_film"]
)
def test_it_comes_back_from_json(media: Samples, name: str) -> None:
    info = media(name).info
    assert MediaInfo.from_json(json.loads(json.dumps(info.to_json()))) == info


@pytest.mark.parametrize(("mean", "base", "varies"), [(25, 25, 0), (29.97, 30, 0), (24.1, 30, 1)])
def test_a_varying_rate_is_seen(media: Samples, mean: float, base: float, varies: int) -> None:
    video = media("film").info.video
    assert video is not None
    assert replace(video, fps=mean, r_fps=base).is_vfr == bool(varies)


def test_matroska_says_a_length_in_a_tag(media: Samples) -> None:
    video = media("film_mkv").info.video
    assert video is not None
    assert video.duration_s == pytest.approx(4, abs=0.01)


def test_nothing_known_is_nothing_told() -> None:
    info = MediaInfo.from_ffprobe({})
    assert (info.video, info.audio, info.duration_s) == (None, (), None)


def test_junk_in_numbers() -> None:
    streams = [
        {
            "index": 0,
            "codec_type": "video",
            "width": "311|",
            "height": None,
            "avg_frame_rate": "0/0",
            "nb_frames": "N/A",
            "bits_per_raw_sample": "N/A",
            "sample_aspect_ratio": "0:1",
            "pix_fmt": "yuv420p10le",
            "side_data_list": [{"side_data_type": "junk"}],
        },
        {"index": 1, "codec_type": "audio", "channels": "two"},
        {"index": 2, "codec_type": "data"},
    ]
    info = MediaInfo.from_ffprobe(
        {"format": {"duration": "N/A", "size": "12|"}, "streams": streams}
    )
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.fps) == (311, 0, 0.0)
    assert (info.video.bit_depth, info.video.sample_aspect_ratio) == (10, 1.0)
    assert (info.size_bytes, info.duration_s, info.audio[0].channels) == (12, None, 0)


def test_a_cover_picture_is_no_film(tmp_path: Path) -> None:
    cover = {"index": 1, "codec_type": "video", "disposition": {"attached_pic": 1}}
    sound = {"index": 0, "codec_type": "audio", "codec_name": "mp3"}
    info = MediaInfo.from_ffprobe({"streams": [sound, cover]})
    assert info.video is None
    assert info.has_audio


@pytest.mark.parametrize(
    ("text", "value"), [("30000/1001", 29.97), ("25", 25), ("1/0", 0), ("x/y", 0), ("", 0)]
)
def test_rates(text: str, value: float) -> None:
    assert rate(text) == pytest.approx(value, abs=0.001)


@pytest.mark.parametrize(
    ("text", "value"), [("1.5", 1.5), ("-3", -3), ("N/A", None), (None, None), ("7|", 7)]
)
def test_numbers(text: object, value: float | None) -> None:
    assert number(text) == value


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile secret.mp4\n",
    "dash": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "text": "Dear all,\nthis is no film.\n",
    "nothing": "",
}


@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "txt", ""])
@pytest.mark.parametrize("kind", sorted(PLAYLISTS))
def test_lists_are_not_followed(media: Samples, tmp_path: Path, kind: str, suffix: str) -> None:
    sandbox.prepare(tmp_path)
    shutil.copy(media.path("film"), tmp_path / "in" / "secret.mp4")
    path = tmp_path / "in" / f"0.{suffix}".rstrip(".")
    path.write_text(PLAYLISTS[kind])
    for each in (path, tmp_path / "in" / "secret.mp4"):
        each.chmod(0o644)
    limits = sandbox.Limits(wall_s=20)
    args = (*PROBE_ARGS, f"in/{path.name}")
    ended = sandbox.run(FFPROBE_PATH, args, folder=tmp_path, limits=limits)
    assert ended.returncode != 0
    assert b"h264" not in ended.stdout


@pytest.mark.parametrize(
    ("form", "codec", "demuxer"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "h264", "mov"),
        ("matroska,webm", "vp9", "matroska"),
        ("image2", "mjpeg", "jpeg_pipe"),
        ("image2", "svg", None),
        ("png_pipe", "png", "png_pipe"),
        ("hls", "h264", None),
        ("concat", "h264", None),
        ("tty", "ansi", None),
        ("", None, None),
    ],
)
def test_demuxers_are_pinned(form: str, codec: str | None, demuxer: str | None) -> None:
    assert pin(form, codec) == demuxer
