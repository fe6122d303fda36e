"""What an output may be: its name's ending says the muxer, and the muxer writes one file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Muxer:
    """``is_media`` where the result can be probed, so that it is checked before it is published."""

    name: str
    content_type: str
    is_media: bool = True


# Muxers that write lists, several files or to addresses (hls, dash, segment, tee, rtp, image2 with
# a pattern) are absent on purpose.
BY_EXTENSION: dict[str, Muxer] = {
    "mp4": Muxer("mp4", "video/mp4"),
    "m4v": Muxer("mp4", "video/mp4"),
    "mov": Muxer("mov", "video/quicktime"),
    "m4a": Muxer("ipod", "audio/mp4"),
    "mkv": Muxer("matroska", "video/x-matroska"),
    "mka": Muxer("matroska", "audio/x-matroska"),
    "webm": Muxer("webm", "video/webm"),
    "ts": Muxer("mpegts", "video/mp2t"),
    "mpg": Muxer("mpeg", "video/mpeg"),
    "avi": Muxer("avi", "video/x-msvideo"),
    "flv": Muxer("flv", "video/x-flv"),
    "mxf": Muxer("mxf", "application/mxf"),
    "3gp": Muxer("3gp", "video/3gpp"),
    "ogv": Muxer("ogv", "video/ogg"),
    "mp3": Muxer("mp3", "audio/mpeg"),
    "aac": Muxer("adts", "audio/aac"),
    "ac3": Muxer("ac3", "audio/ac3"),
    "flac": Muxer("flac", "audio/flac"),
    "ogg": Muxer("ogg", "audio/ogg"),
    "oga": Muxer("oga", "audio/ogg"),
    "opus": Muxer("opus", "audio/ogg"),
    "wav": Muxer("wav", "audio/wav"),
    "aiff": Muxer("aiff", "audio/aiff"),
    "gif": Muxer("gif", "image/gif"),
    "apng": Muxer("apng", "image/apng"),
    "jpg": Muxer("image2", "image/jpeg"),
    "jpeg": Muxer("image2", "image/jpeg"),
    "png": Muxer("image2", "image/png"),
    "bmp": Muxer("image2", "image/bmp"),
    "tiff": Muxer("image2", "image/tiff"),
    # FFmpeg itself does not read those that move.
    "webp": Muxer("webp", "image/webp", is_media=False),
    "srt": Muxer("srt", "application/x-subrip", is_media=False),
    "vtt": Muxer("webvtt", "text/vtt", is_media=False),
    "ass": Muxer("ass", "text/x-ssa", is_media=False),
}

# Other names that -f may give to what an ending says.
_SAME = {"jpg": "image2", "mjpeg": "image2", "image2": "image2", "aac": "adts", "mkv": "matroska"}


def agrees(asked: str, muxer: Muxer) -> bool:
    return _SAME.get(asked, asked) == muxer.name
