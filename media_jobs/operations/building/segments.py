"""Clips made alike, and clips put behind one another without encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media_jobs.ffmpeg.codecs import audio_family
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.demuxers import pin
from media_jobs.ffmpeg.devices import Device, Encoding
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building.sizes import Shape, fitted, shape_of
from media_jobs.operations.core.media import GLOBAL_ARGS, Input, Media, Source, Target

SAMPLE_RATE = 48000

# The sound of one clip is cut, or filled with silence, to exactly its picture's length: else
# every later clip would come too early or too late.
_SOUND_FORMAT = f"aformat=sample_rates={SAMPLE_RATE}:channel_layouts=stereo"


@dataclass(frozen=True)
class Look:
    """What all the clips of a joined film have in common."""

    shape: Shape
    fps: str
    has_sound: bool


def conform(sources: Sequence[Source]) -> bool:
    """Whether the clips can be joined bit by bit: same streams, same codec headers."""
    return len({traits(source) for source in sources}) == 1


def traits(source: Source) -> tuple[object, ...]:
    film = source.need_film()
    picture = (
        film.codec,
        film.header_hash,
        film.pix_fmt,
        (film.coded_width, film.coded_height, film.rotation, film.sample_aspect_ratio),
        # A varying rate has no one rate to compare.
        source.path if film.is_vfr else round(film.fps, 3),
        film.time_base,
    )
    sound = tuple(
        (audio_family(track.codec), track.header_hash, track.sample_rate, track.channels)
        for track in source.info.audio[:1]
    )
    return picture, sound, pin(source.info.format_name, film.codec)


def picture_filters(film: VideoStream, look: Look, device: Device) -> list[Filter]:
    into = (look.shape.width, look.shape.height)
    return [
        *fitted(shape_of(film), into, "pad", device),
        # From zero: a picture that comes late is held back to the beginning.
        Filter("fps", cuda="fps", fps=look.fps, start_time=0),
        Filter("format", pix_fmts="yuv420p"),
    ]


def sound_graph(source: Source, label: str, length_s: float, index: int) -> str:
    """From a track, or from nothing, the sound of a clip under ``label``."""
    cut = f"apad=whole_dur={length_s:.6f},atrim=end={length_s:.6f}"
    if not source.info.has_audio:
        silence = f"anullsrc=r={SAMPLE_RATE}:cl=stereo"
        return f"{silence},atrim=end={length_s:.6f}[{label}]"
    track = source.info.audio[0]
    # The first sample keeps its distance to the first frame.
    late = "aresample=async=1:first_pts=0"
    return f"[{index}:{track.index}]{late},{_SOUND_FORMAT},{cut}[{label}]"


def playlist(paths: Sequence[str], lengths_s: Sequence[float] = ()) -> str:
    """The list for the concat demuxer, handed over in the address itself: no file is needed.

    The paths are the service's own; "file:" makes each one absolute in the demuxer's eyes.
    """
    lines = ["ffconcat version 1.0"]
    for place, path in enumerate(paths):
        lines.append(f"file file:{path}")
        lines += [f"duration {lengths_s[place]:.6f}"] if lengths_s else []
    return "data:text/plain," + "\n".join(lines) + "\n"


def join(  # noqa: PLR0913 -- each is one fact of the command
    playlist_url: str, demuxer: str, target: Target, *, duration_s: float, stage: str, share: float
) -> Command:
    return Command(
        args=(
            *GLOBAL_ARGS,
            # AAC begins a little before zero; FFmpeg would move the picture back for it.
            "-copyts",
            # Only the list itself and the files in it; both through pinned demuxers.
            *("-protocol_whitelist", "file,data"),
            *("-format_whitelist", f"concat,{demuxer}"),
            *("-f", "concat"),
            # The list names nothing but files of this job.
            *("-safe", "0"),
            *("-i", playlist_url),
            *target.argv(),
        ),
        stage=stage,
        duration_s=duration_s,
        share=share,
        outputs=(target.file,) if target.file else (),
    )


def one_clip(m: Media, source: Source, look: Look, encoding: Encoding, path: str) -> Command:
    """Bring a clip to the common look, as a file for the join: its sound stays uncompressed."""
    film = source.need_film()
    length_s = source.video_duration_s()
    graph = sound_graph(source, "sound", length_s, 0) if look.has_sound else None
    filters = m.filters(picture_filters(film, look, m.device), film, encoding)
    args = (
        *("-map", f"0:{film.index}", "-vf", filters),
        *(*m.device.encode(encoding), "-fps_mode", "cfr"),
        *(("-map", "[sound]", "-c:a", "pcm_s16le") if look.has_sound else ()),
        *("-t", f"{length_s:.6f}", "-f", "mov"),
    )
    return m.ffmpeg(
        [Input(source, is_decoded_by_device=True)],
        [Target(args, path=path)],
        graph=graph,
        stage="making clips alike",
        duration_s=length_s,
    )
