"""What an operation sees of its job: sources, device, and the one builder of FFmpeg lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.ffmpeg.command import Command, OutputFile, Parser
from media_jobs.ffmpeg.demuxers import is_picture, pin
from media_jobs.ffmpeg.devices import Cpu, Device, Encoding
from media_jobs.ffmpeg.filters import Filter, chain
from media_jobs.ffmpeg.media_info import MediaInfo, VideoStream
from media_jobs.operations.core.errors import InvalidParams

Args = tuple[str, ...]

GLOBAL_ARGS: Args = (
    "-hide_banner",
    # Never wait for a key press.
    "-nostdin",
    "-y",
    # Every message says how grave it is; the failure table and the log rely on it.
    "-loglevel",
    "level+info",
    # The status line rewrites itself with \r; -progress says the same in whole lines.
    "-nostats",
    "-progress",
    "pipe:1",
    "-stats_period",
    "0.5",
)


# FFmpeg counts time in whole microseconds, and takes a length of none for no bound.
LEAST_S = 0.000_001


@dataclass(frozen=True)
class Source:
    path: str
    info: MediaInfo
    name: str = ""
    role: str = "input"

    @property
    def stem(self) -> str:
        """The source's name without its ending, to call the results by."""
        return self.name.rpartition(".")[0] or self.name or "result"

    @property
    def is_picture(self) -> bool:
        return is_picture(self.info.format_name)

    @property
    def duration_s(self) -> float:
        """Length of the whole file; 0.0 for a picture or where nothing says it."""
        return self.info.duration_s or 0.0

    def need_video(self) -> VideoStream:
        video = self.info.video
        if video is None or video.width < 1 or video.height < 1:
            raise InvalidParams(self.role, "the source has no video", "no_video")
        return video

    def need_film(self) -> VideoStream:
        video = self.need_video()
        if self.is_picture:
            raise InvalidParams(self.role, "the source is a picture, not a video", "no_video")
        return video

    def need_audio(self) -> None:
        if not self.info.has_audio:
            raise InvalidParams(self.role, "the source has no audio", "no_audio")

    def video_duration_s(self) -> float:
        video = self.info.video
        return (video.duration_s if video else None) or self.duration_s


@dataclass(frozen=True)
class Input:
    """One ``-i``: the source from ``start_s`` for ``length_s``; ``options`` go before it."""

    source: Source
    start_s: float = 0.0
    length_s: float | None = None
    options: Args = ()
    is_decoded_by_device: bool = False


@dataclass(frozen=True)
class Target:
    """One output of a command: its arguments, and the file; no file means the null muxer."""

    args: Args
    file: OutputFile | None = None
    path: str | None = None

    def argv(self) -> Args:
        where = self.file.path if self.file else self.path
        return (*self.args, where) if where else (*self.args, "-f", "null", "-")


@dataclass(frozen=True)
class Result:
    """The answer of an analysis, or what a conversion has to say beside its files."""

    data: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Media:
    """``sources`` by role, in the order of the declaration's fields."""

    sources: Mapping[str, Source]
    device: Device = field(default_factory=Cpu)
    capabilities: Capabilities = field(default_factory=Capabilities)
    max_filters: int = 10
    needs_duration_limit: bool = False
    """Whether a command of the user's own must say when its outputs end."""

    @property
    def source(self) -> Source:
        return next(iter(self.sources.values()))

    def all_of(self, role: str) -> tuple[Source, ...]:
        """The sources of a list: those whose roles are ``role/0``, ``role/1`` and so on."""
        return tuple(source for name, source in self.sources.items() if name.startswith(f"{role}/"))

    def filters(
        self,
        filters: Sequence[Filter],
        video: VideoStream | None = None,
        encoding: Encoding | None = None,
    ) -> str:
        """``video`` is given where the device decodes it, ``encoding`` where it encodes."""
        feed = self.device.feed(encoding) if encoding else None
        return chain(filters, self.device.surface(video), feed)

    def ffmpeg(  # noqa: PLR0913 -- each is one fact of the command
        self,
        inputs: Sequence[Input | Source],
        targets: Sequence[Target],
        *,
        graph: str | None = None,
        stage: str = "encoding",
        duration_s: float | None = None,
        share: float = 1.0,
        parse: Parser | None = None,
    ) -> Command:
        read = [each if isinstance(each, Input) else Input(each) for each in inputs]
        made = tuple(arg for target in targets for arg in target.argv())
        return Command(
            args=(
                *GLOBAL_ARGS,
                *self.device.setup(made),
                *(arg for each in read for arg in self._input(each)),
                *(("-filter_complex", graph) if graph else ()),
                *made,
            ),
            stage=stage,
            duration_s=duration_s,
            share=share,
            outputs=tuple(target.file for target in targets if target.file),
            parse=parse,
        )

    def _input(self, given: Input) -> Args:
        source = given.source
        decode = self.device.decode(source.info.video) if given.is_decoded_by_device else ()
        return (
            *decode,
            *given.options,
            *reading(source),
            *(("-ss", f"{given.start_s:.6f}") if given.start_s else ()),
            *(() if given.length_s is None else ("-t", f"{max(given.length_s, LEAST_S):.6f}")),
            "-i",
            source.path,
        )


def reading(source: Source) -> Args:
    """Hold FFmpeg to the one file and to the demuxer that the probe found.

    Without it a playlist that is named ``.mp4`` would be followed to other files.
    """
    video = source.info.video
    demuxer = pin(source.info.format_name, video.codec if video else None)
    if demuxer is None:
        kind = source.info.format_name or "unknown"
        raise InvalidParams(source.role, f"files of this kind ({kind}) are not read", "bad_format")
    return (
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        demuxer,
        "-f",
        demuxer,
    )
