from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from media_jobs.ffmpeg.codecs import CONTAINERS
from media_jobs.operations.core import InvalidParams, InvalidParamsGroup, Media, find
from media_jobs.operations.core.driver import plan
from tests.harness.measure import difference, ffprobe, frame_times, grey_pixels, raw_frame
from tests.harness.media import Samples
from tests.operations.workshop import Done, declared, run, sources_of


def converted(media: Samples, folder: Path, sample: str, **params: Any) -> Done:
    shows_film = {"h264", "vp9"} & {*CONTAINERS[params.get("output_format", "mp4")].video}
    if shows_film and params.get("video_codec") not in {"copy", "none"}:
        params = {"preset": "fast"} | params
    return run(media, folder, "transcode", sample, **params)


def atoms(path: Path) -> list[str]:
    """The top-level boxes of an MP4 file, in order (ISO 14496-12, 4.2)."""
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        found.append(data[place + 4 : place + 8].decode("latin-1"))
        place += size if size > 1 else int.from_bytes(data[place + 8 : place + 16], "big")
    return found


def titles(path: Path) -> list[str]:
    told = ffprobe("-show_entries", "format_tags=title:stream_tags=title", path)
    found = [told["format"], *told["streams"]]
    return [each["tags"]["title"] for each in found if "title" in each.get("tags", {})]


def test_it_works(media: Samples, tmp_path: Path) -> None:
    done = converted(media, tmp_path, "film_mkv", resolution="360p", fps=12.5, crf=30)
    info, video = done.info, done.info.video
    assert video is not None
    assert (video.codec, video.pix_fmt) == ("h264", "yuv420p")
    assert (video.width, video.height) == (640, 360)
    assert video.fps == 12.5
    assert video.frames == 50
    assert info.audio[0].codec == "aac"
    assert video.duration_s == pytest.approx(4, abs=1 / 25)
    assert atoms(done.path).index("moov") < atoms(done.path).index("mdat")
    assert done.outputs[0].name == "film.mp4"


def test_the_index_stays_behind_where_it_is_asked_for(media: Samples, tmp_path: Path) -> None:
    done = converted(media, tmp_path, "film_mkv", faststart=False)
    assert atoms(done.path).index("moov") > atoms(done.path).index("mdat")


def test_what_conforms_is_copied_and_said(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "transcode", "film", output_format="mkv", audio_codec="opus")
    assert done.data["video"] == {"action": "copied", "codec": "h264"}
    assert done.data["audio"] == {"action": "encoded", "codec": "opus"}
    before = difference(grey_pixels(media.path("film"), 1), grey_pixels(done.path, 1))
    assert before == 0


@pytest.mark.parametrize(
    "params",
    [
        {"when_conformant": "encode"},
        {"crf": 23},
        {"video_bitrate": "300k"},
        {"fps": 24},
        {"resolution": {"width": 320}},
        {"start": 1},
        {"max_bitrate": "10k"},
        {"pixel_format": "yuv444p"},
    ],
)
def test_what_does_not_conform_is_encoded(
    media: Samples, tmp_path: Path, params: dict[str, Any]
) -> None:
    done = converted(media, tmp_path, "film", **params)
    assert done.data["video"]["action"] == "encoded"


def test_sound_keeps_its_distance_to_the_picture(media: Samples, tmp_path: Path) -> None:
    source, done = media("late_sound").info, converted(media, tmp_path, "late_sound", crf=30)
    assert source.video is not None
    assert done.info.video is not None
    before = source.audio[0].start_s - source.video.start_s
    after = done.info.audio[0].start_s - done.info.video.start_s
    assert before == pytest.approx(0.5, abs=0.03)
    assert after == pytest.approx(before, abs=0.002)


_CODECS_AND_RATES = [
    # By day each codec has one of the two, by turns; the other is its encoder's no less.
    pytest.param(codec, sample, marks=() if (place + other) % 2 == 0 else pytest.mark.nightly)
    for place, codec in enumerate(("h264", "hevc", "vp9", "av1"))
    for other, sample in enumerate(("varying_film", "jittered_film"))
]


@pytest.mark.parametrize(("codec", "sample"), _CODECS_AND_RATES)
def test_frames_of_a_varying_rate_keep_their_times(
    media: Samples, tmp_path: Path, sample: str, codec: str
) -> None:
    done = converted(media, tmp_path, sample, video_codec=codec, crf=40)
    before, after = frame_times(media.path(sample)), frame_times(done.path)
    assert len(before) == len(after)
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 0.001


def test_a_varying_rate_becomes_constant_where_asked(media: Samples, tmp_path: Path) -> None:
    done = converted(media, tmp_path, "varying_film", fps=25)
    times = frame_times(done.path)
    steps = {round(b - a, 3) for a, b in pairwise(times)}
    assert steps == {0.04}


def test_an_odd_size_loses_its_odd_line(media: Samples, tmp_path: Path) -> None:
    video = converted(media, tmp_path, "odd_film").info.video
    assert video is not None
    assert (video.width, video.height, video.pix_fmt) == (320, 180, "yuv420p")


def test_a_rotated_film_is_turned_upright(media: Samples, tmp_path: Path) -> None:
    source = media("rotated_film").info.video
    assert source is not None
    assert (source.rotation, source.width, source.height) == (90, 360, 640)
    done = converted(media, tmp_path, "rotated_film", resolution="360p", crf=20)
    video = done.info.video
    assert video is not None
    assert (video.width, video.height, video.rotation) == (360, 640, 0)
    upright = raw_frame(media.path("film"), 1, "transpose=clock,scale=64:64,format=gray")
    assert difference(upright, raw_frame(done.path, 1, "scale=64:64,format=gray")) < 2


def test_ten_bits_become_eight(media: Samples, tmp_path: Path) -> None:
    source = media("deep_film").info.video
    assert source is not None
    assert source.bit_depth == 10
    video = converted(media, tmp_path, "deep_film").info.video
    assert video is not None
    assert (video.codec, video.pix_fmt) == ("h264", "yuv420p")


def test_ten_bits_stay_where_asked(media: Samples, tmp_path: Path) -> None:
    done = converted(
        media, tmp_path, "deep_film", video_codec="hevc", pixel_format="yuv420p10le", crf=30
    )
    video = done.info.video
    assert video is not None
    assert (video.codec, video.bit_depth) == ("hevc", 10)


@pytest.mark.parametrize(("form", "channels"), [("mp4", 6), ("opus", 6), ("mp3", 2)])
def test_surround_sound(media: Samples, tmp_path: Path, form: str, channels: int) -> None:
    done = converted(media, tmp_path, "surround_film", output_format=form)
    assert done.info.audio[0].channels == channels


def test_a_film_without_sound(media: Samples, tmp_path: Path) -> None:
    info = converted(media, tmp_path, "silent_film", crf=30).info
    assert info.video is not None
    assert not info.has_audio


@pytest.mark.parametrize("codec", ["av1", "vp9", "hevc", "prores"])
def test_every_video_codec(media: Samples, tmp_path: Path, codec: str) -> None:
    bound = {} if codec == "prores" else {"max_bitrate": "500k"}
    done = converted(
        media,
        tmp_path,
        "silent_film",
        output_format="mkv",
        video_codec=codec,
        end=1,
        resolution={"width": 160},
        **bound,
    )
    assert done.info.video is not None
    assert done.info.video.codec == codec
    assert done.info.video.width == 160


@pytest.mark.parametrize("form", ["aac", "m4a", "opus", "ogg", "flac", "wav"])
def test_every_sound_container(media: Samples, tmp_path: Path, form: str) -> None:
    info = converted(media, tmp_path, "film", output_format=form, when_conformant="encode").info
    assert info.video is None
    assert info.has_audio


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9"])
def test_two_passes_come_near_the_bit_rate(media: Samples, tmp_path: Path, codec: str) -> None:
    done = converted(
        media,
        tmp_path,
        "silent_film",
        output_format="mkv",
        video_codec=codec,
        video_bitrate="300k",
        two_pass=True,
    )
    assert len(done.commands) == 2
    assert done.path.stat().st_size * 8 / 3 == pytest.approx(300_000, rel=0.25)


@pytest.mark.parametrize(
    ("fit", "size"),
    [("contain", (200, 112)), ("pad", (200, 200)), ("cover", (200, 200)), ("stretch", (200, 200))],
)
def test_fits(media: Samples, tmp_path: Path, fit: str, size: tuple[int, int]) -> None:
    box = {"width": 200, "height": 200, "fit": fit}
    video = converted(media, tmp_path, "silent_film", resolution=box).info.video
    assert video is not None
    assert (video.width, video.height) == size
    assert video.sample_aspect_ratio == 1


def test_a_part_is_cut_to_the_frame(media: Samples, tmp_path: Path) -> None:
    done = converted(media, tmp_path, "film", start=1, end=2.2, crf=18)
    assert len(frame_times(done.path)) == 30
    first = difference(grey_pixels(done.path), grey_pixels(media.path("film"), 1))
    assert first < difference(grey_pixels(done.path), grey_pixels(media.path("film"), 1.04))


def test_an_end_behind_the_source_is_said(media: Samples, tmp_path: Path) -> None:
    done = converted(media, tmp_path, "film", end=60)
    assert done.result is not None
    assert done.result.warnings == ("the source ends at 4 s, before the end asked for",)


def test_metadata_is_left_out_where_asked(media: Samples, tmp_path: Path) -> None:
    kept = converted(media, tmp_path / "kept", "titled_film", output_format="mkv")
    bare = converted(
        media, tmp_path / "bare", "titled_film", output_format="mkv", keep_metadata=False
    )
    assert titles(kept.path) == ["Home", "Track"]
    assert titles(bare.path) == []


@pytest.mark.parametrize(
    ("sample", "params", "field"),
    [
        ("film", {"video_codec": "vp9", "output_format": "mov"}, "video_codec"),
        ("film", {"video_codec": "h264", "output_format": "mp3"}, "video_codec"),
        ("film", {"audio_codec": "aac", "output_format": "gif"}, "audio_codec"),
        ("film", {"audio_codec": "copy", "output_format": "webm"}, "audio_codec"),
        ("film", {"video_codec": "copy", "resolution": "360p"}, "resolution"),
        ("film", {"video_codec": "none", "audio_codec": "none"}, "input"),
        ("film", {"two_pass": True}, "two_pass"),
        ("film", {"two_pass": True, "video_bitrate": "1M", "video_codec": "av1"}, "two_pass"),
        ("film", {"crf": 60}, "crf"),
        ("film", {"crf": 20, "video_bitrate": "1M"}, "crf"),
        ("film", {"crf": 20, "video_codec": "prores", "output_format": "mov"}, "crf"),
        ("film", {"start": 4}, "start"),
        ("film", {"start": 2, "end": 1}, "end"),
        ("film", {"audio_codec": "opus", "sample_rate": 44100}, "sample_rate"),
        ("film", {"output_format": "mp3", "channels": 6}, "channels"),
        ("silent_film", {"output_format": "mp3"}, "input"),
        ("quiet_music", {"output_format": "gif"}, "input"),
        ("photo", {}, "input"),
    ],
)
def test_what_cannot_work_is_refused_before_it_runs(
    media: Samples, sample: str, params: dict[str, Any], field: str
) -> None:
    op = declared("transcode", {"input": sample}, params)
    with pytest.raises(InvalidParams) as refused:
        plan(op, Media(sources_of(op, {"input": sample}, media)))
    assert refused.value.field == field


def test_a_profile_gives_way_to_what_is_said(media: Samples) -> None:
    op = declared("transcode", {"input": "film"}, {"profile": "mobile_friendly", "crf": 30})
    told = op.to_params()
    assert (told["crf"], told["resolution"], told["fps"]) == (30, "720p", "30")


def test_an_unknown_profile_is_refused(media: Samples) -> None:
    with pytest.raises(InvalidParamsGroup) as refused:
        declared("transcode", {"input": "film"}, {"profile": "best"})
    assert [error.field for error in refused.value.errors] == ["profile"]


@pytest.mark.parametrize(
    ("params", "field", "detail"),
    [
        ({"start": 1e-9, "end": 2e-9}, "end", "is shorter than one frame"),
        ({"start": 1e-9, "end": 2e-9, "output_format": "mp3"}, "end", "is shorter than one sample"),
        ({"start": 1, "end": 1.1, "fps": 5}, "end", "is shorter than one frame of the rate"),
        ({"start": 3.97}, "start", "the last frame begins at 3.96 s"),
    ],
)
def test_a_part_that_holds_nothing_is_refused(
    media: Samples, params: dict[str, Any], field: str, detail: str
) -> None:
    op = declared("transcode", {"input": "film"}, params)
    with pytest.raises(InvalidParams, match=detail) as refused:
        plan(op, Media(sources_of(op, {"input": "film"}, media)))
    assert refused.value.field == field


def test_the_sound_within_the_last_frame_can_be_cut(media: Samples, tmp_path: Path) -> None:
    done = converted(media, tmp_path, "film", start=3.97, output_format="flac")
    assert done.info.duration_s == pytest.approx(0.03, abs=0.02)


_VALUES = {
    "preset": "fast",
    "profile": "web_optimized",
    "crf": 20,
    "video_bitrate": "300k",
    "max_bitrate": "900k",
    "resolution": "360p",
    "fps": 12.5,
    "pixel_format": "yuv420p10le",
    "audio_bitrate": "64k",
    "sample_rate": 24000,
    "channels": 1,
    "faststart": False,
    "keep_metadata": False,
}
_KINDS = [
    *({"output_format": name} for name in CONTAINERS),
    *({"video_codec": codec} for codec in ("av1", "vp9", "hevc", "copy", "none")),
    *({"audio_codec": codec} for codec in ("opus", "flac", "copy", "none")),
    {"output_format": "mov", "video_codec": "prores"},
]


@pytest.mark.parametrize("kind", _KINDS, ids=str)
def test_no_option_is_left_out_in_silence(media: Samples, kind: dict[str, Any]) -> None:
    """Either the command differs from the one without it, or the option is refused by name."""
    given = {"input": "film_mkv"}
    op = declared("transcode", given, kind | {"when_conformant": "encode"})
    m = Media(sources_of(op, given, media))

    def told(**option: Any) -> Any:
        asked = declared("transcode", given, kind | {"when_conformant": "encode"} | option)
        try:
            return plan(asked, m)
        except InvalidParams as refused:
            return refused.field

    silent = {name for name, value in _VALUES.items() if told(**{name: value}) == told()}
    refused = {name: told(**{name: value}) for name, value in _VALUES.items()}
    misnamed = {name for name, said in refused.items() if isinstance(said, str) and said != name}
    assert (silent, misnamed) == (set(), set())


def test_every_option_is_among_those() -> None:
    others = {"input", "output_format", "video_codec", "audio_codec", "two_pass", "start", "end"}
    assert set(find("transcode").model_fields) - others - {"when_conformant"} == set(_VALUES)


def test_what_the_source_makes_useless_is_told(media: Samples, tmp_path: Path) -> None:
    done = converted(media, tmp_path, "quiet_music", output_format="mkv", crf=30)
    assert done.result is not None
    assert done.result.warnings == ("without effect, for the source has no video: preset, crf",)


def test_mp3_takes_no_bit_rate_over_its_highest(media: Samples) -> None:
    op = declared(
        "transcode", {"input": "film"}, {"output_format": "mp3", "audio_bitrate": "9999k"}
    )
    with pytest.raises(InvalidParams, match="mp3 goes to 320k"):
        plan(op, Media(sources_of(op, {"input": "film"}, media)))
