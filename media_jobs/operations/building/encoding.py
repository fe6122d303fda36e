"""Arguments that operations with an encoded film or sound share."""

from __future__ import annotations

from collections.abc import Sequence
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
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import AudioStream, VideoStream
from media_jobs.operations.core.errors import InvalidParams
from media_jobs.operations.core.fields import bits_per_second
from media_jobs.operations.core.media import Args, Media

# A graph in one string: the palette is made of the film itself, then used for it.
PALETTE = "split[whole][few];[few]palettegen[palette];[whole][palette]paletteuse"

NO_METADATA: Args = ("-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1")


@dataclass(frozen=True)
class Sound:
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
    graph = m.filters(filters, video, encoding)
    if encoding.codec == "gif":
        graph = ",".join(filter(None, (graph, PALETTE)))
    return (
        *(("-vf", graph) if graph else ()),
        *m.device.encode(encoding),
        # Frames keep their own times; a constant rate is made by the fps filter where asked.
        *("-fps_mode", "vfr"),
        *(() if has_rate(filters) else clock_args(video, encoding)),
        *tag_args(encoding.codec),
    )


def has_rate(filters: Sequence[Filter]) -> bool:
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
    return ("-enc_time_base", "-1")


def tag_args(codec: str) -> Args:
    # Apple's players open HEVC in MP4 only by this tag; Matroska ignores it.
    return ("-tag:v", "hvc1") if codec == "hevc" else ()


def audio_args(m: Media, sound: Sound, track: AudioStream | None) -> Args:
    encoder = AUDIO_ENCODERS[sound.codec]
    need_encoder(m, "audio_codec", encoder)
    rates = SAMPLE_RATES.get(sound.codec)
    if sound.sample_rate and rates and sound.sample_rate not in rates:
        listed = ", ".join(str(rate) for rate in sorted(rates))
        raise InvalidParams("sample_rate", f"{sound.codec} takes {listed}", "unsupported")
    return (
        *("-c:a", encoder),
        *(("-b:a", sound.bitrate) if sound.bitrate and sound.codec not in LOSSLESS_AUDIO else ()),
        *(("-ar", str(sound.sample_rate)) if sound.sample_rate else ()),
        *channel_args(sound, track),
    )


def check_bitrate(field: str, codec: str, bitrate: str | None) -> None:
    if bitrate is None:
        return
    if codec in LOSSLESS_AUDIO:
        raise InvalidParams(field, f"{codec} loses nothing, so has no bit rate", "unsupported")
    highest = HIGHEST_AUDIO_BITRATE.get(codec)
    if highest and bits_per_second(bitrate) > bits_per_second(highest):
        raise InvalidParams(field, f"{codec} goes to {highest}", "out_of_range")


def channel_args(sound: Sound, track: AudioStream | None) -> Args:
    most = MOST_CHANNELS.get(sound.codec, 8)
    if sound.channels and sound.channels > most:
        raise InvalidParams("channels", f"{sound.codec} has at most {most}", "unsupported")
    if sound.channels:
        return ("-ac", str(sound.channels))
    if track is not None and track.channels > most:
        return ("-ac", str(most))
    if sound.codec == "opus" and track is not None and track.channels == 6:
        # libopus knows 5.1 with back speakers only; films mostly say 5.1(side).
        return ("-af", "aformat=channel_layouts=5.1")
    return ()


def need_encoder(m: Media, field: str, encoder: str) -> None:
    if m.capabilities.lacks_encoder(encoder):
        raise InvalidParams(field, f"this FFmpeg has no {encoder}", "unavailable")
