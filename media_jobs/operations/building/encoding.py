"""Arguments that operations with an encoded video or audio stream share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from media_jobs.ffmpeg.codecs import (
    AUDIO_ENCODERS,
    HIGHEST_AUDIO_BITRATE,
    LOSSLESS_AUDIO,
    MOST_CHANNELS,
    QUICKTIME,
    SAMPLE_RATES,
    Container,
)
from media_jobs.ffmpeg.command import OutputFile
from media_jobs.ffmpeg.devices import Encoding
from media_jobs.ffmpeg.filters import Filter, write
from media_jobs.ffmpeg.graph import Chain, Graph
from media_jobs.ffmpeg.media_info import AudioStream, VideoStream
from media_jobs.operations.core import Args, InvalidParams, Media, bits_per_second

NO_METADATA: Args = ("-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1")


@dataclass(frozen=True)
class AudioEncoding:
    """``bitrate`` and the rest are the codec's usual ones where they are not given."""

    codec: str
    bitrate: str | None = None
    sample_rate: int | None = None
    channels: int | None = None


def result_file(
    m: Media, container: Container, *, streams: frozenset[str], duration_s: float | None
) -> OutputFile:
    return OutputFile(
        path=f"out/result.{container.extension}",
        role="result",
        name=f"{m.source.stem}.{container.extension}",
        content_type=container.content_type,
        duration_s=duration_s,
        streams=streams,
    )


def finish(container: Container, *, faststart: bool = True) -> Args:
    """What the file as a whole needs, last before its name."""
    index_first = faststart and container.muxer in QUICKTIME
    return (
        *container.args,
        # A sparse stream that starts late must not end the job with "too many packets".
        *("-max_muxing_queue_size", "4096"),
        # The index in front lets a browser play while it still loads.
        *(("-movflags", "+faststart") if index_first else ()),
        *("-f", container.muxer),
    )


def video_args(m: Media, video: VideoStream, encoding: Encoding, filters: Sequence[Filter]) -> Args:
    """Encode the one video stream; ``filters`` start on the surface that the device decodes to."""
    need_encoder(m, "video_codec", m.device.encoder(encoding.codec))
    placed = m.placed(filters, video, encoding)
    graph = palette(placed).write() if encoding.codec == "gif" else write(placed)
    return (
        *(("-vf", graph) if graph else ()),
        *m.device.encode(encoding),
        # Frames keep their own times; a constant rate is made by the fps filter where asked.
        *("-fps_mode", "vfr"),
        *(() if has_rate(filters) else clock_args(video, encoding)),
        *tag_args(encoding.codec),
    )


def palette(filters: Sequence[Filter]) -> Graph:
    """A palette of 256 colours is made of the video itself, then used for it."""
    return Graph(
        (
            Chain((*filters, Filter("split")), outputs=("whole", "few")),
            Chain((Filter("palettegen"),), ("few",), ("palette",)),
            Chain((Filter("paletteuse"),), ("whole", "palette")),
        )
    )


def has_rate(filters: Iterable[Filter]) -> bool:
    return any(each.name == "fps" for each in filters)


def clock_args(video: VideoStream, encoding: Encoding) -> Args:
    """The encoder's usual clock ticks once a frame, which moves the frames of a varying rate.

    The source's own is finer, but for those of whole milliseconds: there the usual one makes the
    times of a constant rate exact again. libvpx takes a tick for a frame when it counts bits.
    """
    ticks = float(video.time_base.partition("/")[2] or 0)
    counts_bits = encoding.codec == "vp9" and (encoding.bitrate or encoding.max_bitrate)
    if encoding.codec in {"gif", "webp"} or counts_bits or (ticks <= 1000 and not video.is_vfr):
        return ()
    return ("-enc_time_base", "demux")


def tag_args(codec: str) -> Args:
    # Apple's players open HEVC in MP4 only by this tag; Matroska ignores it.
    return ("-tag:v", "hvc1") if codec == "hevc" else ()


def audio_args(
    m: Media,
    encoding: AudioEncoding,
    tracks: Sequence[AudioStream] = (),
    filters: Sequence[Filter] = (),
) -> Args:
    """Encode the mapped audio ``tracks``, each through ``filters``; none where they are unknown.

    This is the one place that writes ``-af``: of two FFmpeg would keep the last.
    """
    encoder = AUDIO_ENCODERS[encoding.codec]
    need_encoder(m, "audio_codec", encoder)
    rates = SAMPLE_RATES.get(encoding.codec)
    if encoding.sample_rate and rates and encoding.sample_rate not in rates:
        listed = ", ".join(str(rate) for rate in sorted(rates))
        raise InvalidParams("sample_rate", f"{encoding.codec} takes {listed}", "unsupported")
    bitrate = None if encoding.codec in LOSSLESS_AUDIO else encoding.bitrate
    return (
        *audio_filter_args(encoding, tracks, filters),
        *("-c:a", encoder),
        *(("-b:a", bitrate) if bitrate else ()),
        *(("-ar", str(encoding.sample_rate)) if encoding.sample_rate else ()),
        *channel_args(encoding, tracks),
    )


def audio_filter_args(
    encoding: AudioEncoding, tracks: Sequence[AudioStream], filters: Sequence[Filter]
) -> Args:
    """One option for all tracks, or one for each where they need different filters."""
    written = [write((*filters, *layout_filters(encoding, track))) for track in tracks]
    written = written or [write(filters)]
    if len(set(written)) == 1:
        return ("-af", written[0]) if written[0] else ()
    return tuple(
        arg for place, graph in enumerate(written) if graph for arg in (f"-filter:a:{place}", graph)
    )


def layout_filters(encoding: AudioEncoding, track: AudioStream) -> tuple[Filter, ...]:
    if encoding.codec == "opus" and track.channels == 6 and not encoding.channels:
        # libopus knows 5.1 with back speakers only; films mostly say 5.1(side).
        return (Filter("aformat", channel_layouts="5.1"),)
    return ()


def channel_args(encoding: AudioEncoding, tracks: Iterable[AudioStream]) -> Args:
    most = MOST_CHANNELS.get(encoding.codec, 8)
    if encoding.channels and encoding.channels > most:
        raise InvalidParams("channels", f"{encoding.codec} has at most {most}", "unsupported")
    if encoding.channels:
        return ("-ac", str(encoding.channels))
    has_more = any(track.channels > most for track in tracks)
    return ("-ac", str(most)) if has_more else ()


def check_bitrate(field: str, codec: str, bitrate: str | None) -> None:
    if bitrate is None:
        return
    if codec in LOSSLESS_AUDIO:
        raise InvalidParams(field, f"{codec} loses nothing, so has no bit rate", "unsupported")
    highest = HIGHEST_AUDIO_BITRATE.get(codec)
    if highest and bits_per_second(bitrate) > bits_per_second(highest):
        raise InvalidParams(field, f"{codec} goes to {highest}", "out_of_range")


def need_encoder(m: Media, field: str, encoder: str) -> None:
    if m.capabilities.lacks_encoder(encoder):
        raise InvalidParams(field, f"this FFmpeg has no {encoder}", "unavailable")
