"""What becomes of the streams of a source that is converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from media_jobs.ffmpeg.codecs import CONTAINERS, Container
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.errors import InvalidParams
from media_jobs.operations.media import Result
from media_jobs.operations.spans import Span

COPY = "copy"


@dataclass(frozen=True)
class Ways:
    """What becomes of each kind of stream: a codec to encode to, "copy", or nothing."""

    container: Container
    cut: Span
    video: str | None
    audio: str | None

    @property
    def streams(self) -> frozenset[str]:
        kinds = {"video": self.video, "audio": self.audio}
        return frozenset(kind for kind, way in kinds.items() if way)

    def report(self, info: MediaInfo) -> Result:
        lost = ("the subtitle streams are not carried over",) if info.subtitles else ()
        video = info.video.codec if info.video else None
        audio = info.audio[0].codec if info.audio else None
        return Result(
            {"video": said(self.video, video), "audio": said(self.audio, audio)},
            warnings=(*self.cut.warnings, *lost),
        )


def said(way: str | None, source_codec: str | None) -> dict[str, str | None]:
    if way is None:
        return {"action": "none", "codec": None}
    if way == COPY:
        return {"action": "copied", "codec": source_codec}
    return {"action": "encoded", "codec": way}


def check_holds(name: str, kind: Literal["video", "audio"], codec: str) -> None:
    """``name`` is that of a container."""
    container = CONTAINERS[name]
    if not container.holds(kind, codec):
        held = ", ".join(container.video if kind == "video" else container.audio)
        detail = f"{name} can't hold {codec}; it holds {held}"
        raise InvalidParams(f"{kind}_codec", detail, "unsupported")
