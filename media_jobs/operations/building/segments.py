"""Parts made alike, and files put behind one another without encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media_jobs.ffmpeg.codecs import audio_family
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.demuxers import pin
from media_jobs.ffmpeg.devices import Device, Encoding
from media_jobs.ffmpeg.filters import Filter, in_seconds, write
from media_jobs.ffmpeg.graph import Chain, Graph, stream
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building.sizes import FrameSize, displayed_size, fitted
from media_jobs.operations.core import Args, Input, Media, Source, Target

SAMPLE_RATE = 48000


@dataclass(frozen=True)
class TargetFormat:
    """What all the parts of a joined video have in common."""

    size: FrameSize
    fps: str
    has_audio: bool


def conform(sources: Sequence[Source]) -> bool:
    """Whether the sources can be joined bit by bit: same streams, same codec headers."""
    return len({traits(source) for source in sources}) == 1


def traits(source: Source) -> tuple[object, ...]:
    video = source.need_video()
    of_video = (
        video.codec,
        video.header_hash,
        video.pix_fmt,
        (video.coded_width, video.coded_height, video.rotation, video.sample_aspect_ratio),
        # A varying rate has no one rate to compare.
        source.path if video.is_vfr else round(video.fps, 3),
        video.time_base,
    )
    of_audio = tuple(
        (audio_family(track.codec), track.header_hash, track.sample_rate, track.channels)
        for track in source.info.audio[:1]
    )
    return of_video, of_audio, pin(source.info.format_name, video.codec)


def video_filters(video: VideoStream, target: TargetFormat, device: Device) -> list[Filter]:
    into = (target.size.width, target.size.height)
    return [
        *fitted(displayed_size(video), into, "pad", device),
        # From zero: a frame that comes late is held back to the beginning.
        Filter("fps", cuda="fps", fps=target.fps, start_time=0),
        Filter("format", pix_fmts="yuv420p"),
    ]


def audio_chain(source: Source, label: str, length_s: float, index: int) -> Chain:
    """From the first track of input ``index``, or from nothing, the audio of a part.

    It is cut, or filled with silence, to exactly ``length_s``, the length of the part's video: else
    every later part would come too early or too late.
    """
    cut = Filter("atrim", end=in_seconds(length_s))
    if not source.info.has_audio:
        return Chain((Filter("anullsrc", r=SAMPLE_RATE, cl="stereo"), cut), outputs=(label,))
    filters = (
        # The first sample keeps its distance to the first frame.
        Filter("aresample", async_=1, first_pts=0),
        Filter("aformat", sample_rates=SAMPLE_RATE, channel_layouts="stereo"),
        Filter("apad", whole_dur=in_seconds(length_s)),
        cut,
    )
    return Chain(filters, (stream(index, source.info.audio[0].index),), (label,))


def made_alike(
    m: Media, source: Source, target: TargetFormat, encoding: Encoding, path: str
) -> Command:
    """Bring a source to the common format, as a file for ``join``: its audio stays uncompressed."""
    video = source.need_video()
    length_s = source.video_duration_s()
    audio = Graph((audio_chain(source, "sound", length_s, 0),)) if target.has_audio else None
    filters = m.placed(video_filters(video, target, m.device), video, encoding)
    args = (
        *("-map", f"0:{video.index}", "-vf", write(filters)),
        *(*m.device.encode(encoding), "-fps_mode", "cfr"),
        *(("-map", "[sound]", "-c:a", "pcm_s16le") if audio else ()),
        *("-t", in_seconds(length_s), "-f", "mov"),
    )
    return m.ffmpeg(
        [Input(source, is_decoded_by_device=True)],
        [Target(args, path=path)],
        graph=audio,
        stage="making clips alike",
        duration_s=length_s,
    )


@dataclass(frozen=True)
class Playlist:
    """Files behind one another as one input; ``demuxer`` is the one that reads all of them."""

    paths: Sequence[str]
    lengths_s: Sequence[float]
    demuxer: str

    def argv(self, device: Device) -> Args:  # noqa: ARG002 -- part of Readable; nothing is decoded
        return (
            # AAC begins a little before zero; FFmpeg would move the video back for it.
            "-copyts",
            # Only the list itself and the files in it; both through pinned demuxers.
            *("-protocol_whitelist", "file,data"),
            *("-format_whitelist", f"concat,{self.demuxer}"),
            *("-f", "concat"),
            # The list names nothing but files of this job.
            *("-safe", "0"),
            *("-i", playlist(self.paths, self.lengths_s)),
        )


def playlist(paths: Sequence[str], lengths_s: Sequence[float] = ()) -> str:
    """The list for the concat demuxer, handed over in the address itself: no file is needed.

    The paths are the service's own; "file:" makes each one absolute in the demuxer's eyes.
    """
    lines = ["ffconcat version 1.0"]
    for place, path in enumerate(paths):
        lines.append(f"file file:{path}")
        lines += [f"duration {in_seconds(lengths_s[place])}"] if lengths_s else []
    return "data:text/plain," + "\n".join(lines) + "\n"
