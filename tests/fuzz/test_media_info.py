"""Whatever ffprobe says, and whatever JSON might be in its place, is read without a crash."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_jobs.ffmpeg.demuxers import pin
from media_jobs.ffmpeg.media_info import PROBE_ARGS, MediaInfo
from media_jobs.ffmpeg.media_limits import MediaLimits, excess
from tests.fuzz import effort
from tests.harness.measure import ffprobe
from tests.harness.media import Samples

QUIET = settings(
    max_examples=effort.examples(500, 60),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
LIMITS = MediaLimits(pixels=10_000, frames=1_000, duration_s=100.0, streams=3)

NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**19), 2**63, 0, -1]),
)
TEXTS = st.one_of(
    st.sampled_from(
        ["N/A", "0/0", "1/0", "-1/0", "25/1", "30000/1001", "4:3", "0:1", "nan", "inf", "1e999"]
    ),
    st.sampled_from(["00:00:04.02", "99999999999:0:0", "1:2:3.", "video", "audio", "subtitle"]),
    st.integers(0, 500).map(lambda length: "9" * length),
    st.integers(1, 400).map(lambda length: f"{'9' * length}/{'9' * (400 - length)}"),
    st.from_regex(r"-?[0-9]{1,30}([./:][0-9]{0,30})?", fullmatch=True),
    st.sampled_from(["٣", "²", "1_000", "+5", " 7", "0x10", "yuv420p10le", "p99le"]),
    st.text(max_size=10),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = (
    *("index", "codec_type", "codec_name", "width", "height", "sample_aspect_ratio", "pix_fmt"),
    *("avg_frame_rate", "r_frame_rate", "nb_frames", "duration", "start_time", "bit_rate"),
    *("profile", "extradata_hash", "time_base", "channels", "channel_layout", "sample_rate"),
    *("bits_per_raw_sample", "disposition", "tags", "side_data_list", "format_name", "size"),
)
INNER = st.one_of(
    JSON,
    st.fixed_dictionaries({}, optional={"language": JSON, "DURATION": JSON, "rotation": JSON}),
    st.lists(st.fixed_dictionaries({}, optional={"rotation": JSON}), max_size=2),
)
STREAM = st.dictionaries(st.sampled_from(FIELDS), INNER, max_size=12).flatmap(
    lambda fields: st.sampled_from(["video", "audio", "subtitle", "data"]).map(
        lambda kind: {"codec_type": kind} | fields
    )
)
ANSWER = st.fixed_dictionaries(
    {},
    optional={
        "format": st.one_of(JSON, STREAM),
        "streams": st.one_of(JSON, st.lists(st.one_of(STREAM, STREAM, JSON), max_size=5)),
    },
)
STDERR = st.one_of(
    st.just(""),
    st.builds("Picture size {}x{} is invalid".format, st.integers(), st.integers()),
    st.builds("Number of streams exceeds max_streams parameter ({})".format, NUMBERS),
    st.text(max_size=30),
)


def check_reading(answer: dict[str, Any], stderr: str = "") -> MediaInfo:
    info = MediaInfo.from_ffprobe(answer)
    stored = json.loads(json.dumps(info.to_json(), allow_nan=False))
    assert MediaInfo.from_json(stored) == info
    assert all(math.isfinite(each) for each in _floats(asdict(info)))
    found = excess(answer, stderr, LIMITS)
    assert found is None or (found.code.startswith("too_") and found.detail)
    pin(info.format_name, info.video.codec if info.video else None)
    return info


def _floats(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [each for inner in value.values() for each in _floats(inner)]
    if isinstance(value, list | tuple):
        return [each for inner in value for each in _floats(inner)]
    return [value] if isinstance(value, float) else []


@pytest.mark.timeout(0)
def test_any_answer_is_read() -> None:
    seen: Counter[str] = Counter()

    @QUIET
    @given(ANSWER, STDERR)
    def answers(answer: dict[str, Any], stderr: str) -> None:
        seen["answers"] += 1
        info = check_reading(answer, stderr)
        seen["with video"] += info.video is not None

    effort.repeated(answers)
    print(dict(seen))  # noqa: T201 -- how much was tried
    effort.check_shares(holds=seen["with video"] > 0)


@pytest.mark.timeout(0)
def test_a_real_answer_with_something_else_in_it_is_read(media: Samples) -> None:
    names = ("film", "film_mkv", "surround_film", "photo", "quiet_music")
    real = [ffprobe(*PROBE_ARGS, media.path(name)) for name in names]
    seen: Counter[str] = Counter()

    @QUIET
    @given(st.sampled_from(real), st.data())
    def answers(answer: dict[str, Any], data: st.DataObject) -> None:
        changed = json.loads(json.dumps(answer))
        for _ in range(data.draw(st.integers(1, 4))):
            part = data.draw(st.sampled_from([changed["format"], *changed["streams"]]))
            part[data.draw(st.sampled_from(sorted(part) or ["width"]))] = data.draw(INNER)
        seen["answers"] += 1
        check_reading(changed)

    effort.repeated(answers)
    print(dict(seen))  # noqa: T201
    assert seen["answers"] >= QUIET.max_examples // 2


def test_it_works(media: Samples) -> None:
    """The real answers, unchanged, keep to the limits that are meant for them."""
    answer = ffprobe(*PROBE_ARGS, media.path("film"))
    assert check_reading(answer).video
    wide = MediaLimits(pixels=640 * 360, frames=100, duration_s=4.1, streams=2)
    assert excess(answer, "", wide) is None
