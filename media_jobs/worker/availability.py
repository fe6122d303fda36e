"""Whether this machine's FFmpeg has what an operation needs, found by planning its examples."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations import driver
from media_jobs.operations.base import (
    Example,
    InvalidParams,
    Operation,
    Source,
    media_fields,
    media_refs,
    parse,
)
from media_jobs.worker.planning import media_of

_STAND_IN = "file_0"
# An ordinary film: what matters is what the machine can do with it.
_FILM = MediaInfo.from_ffprobe(
    {
        "format": {"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration": "10", "size": "1000000"},
        "streams": [
            {
                "index": 0,
                "codec_type": "video",
                "codec_name": "h264",
                "width": 1280,
                "height": 720,
                "pix_fmt": "yuv420p",
                "avg_frame_rate": "25/1",
                "r_frame_rate": "25/1",
                "duration": "10",
            },
            {
                "index": 1,
                "codec_type": "audio",
                "codec_name": "aac",
                "channels": 2,
                "channel_layout": "stereo",
                "sample_rate": "48000",
                "duration": "10",
            },
        ],
    }
)


@lru_cache(maxsize=256)
def reason_against(operation: type[Operation]) -> str | None:
    """Say what this machine lacks for all the examples of ``operation``; None where one can run."""
    lacking = [_lack(operation, example) for example in operation.examples]
    return lacking[0] if lacking and all(lacking) else None


def _lack(operation: type[Operation], example: Example) -> str | None:
    asked = parse(operation.name, {**_stand_ins(operation, example), **example.params})
    sources = {
        ref.role: Source(f"in/{place}.mp4", _FILM, "film.mp4", ref.role)
        for place, ref in enumerate(media_refs(asked))
    }
    try:
        driver.plan(asked, media_of(sources))
    except InvalidParams as error:
        return error.detail if error.code == "unavailable" else None
    return None


def _stand_ins(operation: type[Operation], example: Example) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in media_fields(operation):
        listed = [role for role in example.media if role.startswith(f"{name}/")]
        if listed:
            given[name] = [_STAND_IN for _ in listed]
        elif name in example.media:
            given[name] = _STAND_IN
    return given
