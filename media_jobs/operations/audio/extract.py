"""The audio of a video as a file of its own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from media_jobs.ffmpeg.codecs import CONTAINERS, Container, audio_family
from media_jobs.ffmpeg.media_info import AudioStream
from media_jobs.operations.building import (
    AudioEncoding,
    TimeRange,
    audio_args,
    check_bitrate,
    finish,
    result_file,
)
from media_jobs.operations.core import (
    NOT_BOOL,
    Bitrate,
    Channels,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Result,
    SampleRate,
    Seconds,
    Steps,
    Target,
)


class Extract(Operation):
    """Take the audio out of a video, or convert audio.

    A track that already is what the format holds is copied bit by bit, unless something about it
    is to change; the job's ``result`` says which.
    """

    path = "audio/extract"
    group = "audio"
    examples = (
        Example(
            "as MP3",
            {"input": "film"},
            {"format": "mp3", "bitrate": "192k", "sample_rate": 44100},
            expect={"audio": "mp3", "duration_s": 4, "action": "encoded"},
        ),
        Example(
            "AAC is copied as it is",
            {"input": "film"},
            {"format": "m4a"},
            expect={"audio": "aac", "duration_s": 4, "action": "copied"},
        ),
        Example(
            "one second, mono, without loss",
            {"input": "film"},
            {"format": "flac", "channels": 1, "start": 1, "end": 2},
            expect={"audio": "flac", "duration_s": 1, "action": "encoded"},
        ),
    )

    input: MediaRef
    """The video or audio."""
    format: Literal["mp3", "aac", "m4a", "flac", "wav", "opus", "ogg"] = "mp3"
    """Kind of file."""
    bitrate: Bitrate | None = None
    """The encoder's usual one when absent."""
    sample_rate: SampleRate | None = None
    """The source's when absent."""
    channels: Channels | None = None
    """The source's when absent."""
    track: Annotated[int, Field(ge=0, le=63), NOT_BOOL] = 0
    """Which of the source's audio tracks, counted from 0."""
    start: Seconds = 0.0
    """Where to begin."""
    end: Seconds | None = None
    """Where to stop; the source's end when absent."""

    def steps(self, m: Media) -> Steps:
        m.source.need_audio()
        tracks = m.source.info.audio
        if self.track >= len(tracks):
            detail = f"the source has {len(tracks)} audio tracks, counted from 0"
            raise InvalidParams("track", detail, "out_of_range")
        track, container = tracks[self.track], CONTAINERS[self.format]
        check_bitrate("bitrate", container.audio[0], self.bitrate)
        cut = TimeRange.of(m.source, self.start, self.end)
        copies = self._is_kept(track, container, cut)
        args = (
            *("-map", f"0:{track.index}"),
            *(("-c:a", "copy") if copies else audio_args(m, self._encoding(container), [track])),
            *finish(container),
        )
        streams = frozenset({"audio"})
        yield m.ffmpeg(
            [Input(m.source, cut.start_s, cut.length_s)],
            [Target(args, result_file(m, container, streams=streams, duration_s=cut.planned_s))],
            stage="copying" if copies else "encoding",
            duration_s=cut.planned_s,
        )
        return Result({"action": "copied" if copies else "encoded"}, warnings=cut.warnings)

    def _is_kept(self, track: AudioStream, container: Container, cut: TimeRange) -> bool:
        """A container's usual codec only: FLAC in Ogg is legal, but not what ogg is asked for."""
        return (
            cut.is_whole
            and audio_family(track.codec) == container.audio[0]
            and self.bitrate is None
            and self.sample_rate in {None, track.sample_rate}
            and self.channels in {None, track.channels}
        )

    def _encoding(self, container: Container) -> AudioEncoding:
        codec = container.audio[0]
        return AudioEncoding(codec, self.bitrate, self.sample_rate, self.channels)
