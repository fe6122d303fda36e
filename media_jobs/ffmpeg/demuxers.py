"""Which demuxers may read a user's file: those that read this one file and open no other."""

from __future__ import annotations

# Demuxers that follow addresses, patterns or lists (hls, dash, concat, sdp, image2, lavfi, tee,
# playlists of every sort) and those that draw text (tty) are absent on purpose.
CONTAINERS = frozenset({
    "mov", "matroska", "avi", "flv", "mpegts", "mpeg", "mpegvideo", "asf", "mxf", "ivf", "rm", "dv",
    "ogg", "wav", "w64", "aiff", "caf", "mp3", "aac", "ac3", "eac3", "dts", "flac", "amr", "au",
    "wv", "tta", "ape", "gif", "apng", "h264", "hevc", "m4v", "obu", "av1", "yuv4mpegpipe", "swf",
})  # fmt: skip

# A picture by what is in it, never by its name: image2 takes "%d" in a name for a pattern.
PICTURES = {
    "mjpeg": "jpeg_pipe",
    "png": "png_pipe",
    "apng": "apng",
    "webp": "webp_pipe",
    "bmp": "bmp_pipe",
    "tiff": "tiff_pipe",
    "gif": "gif",
    "jpegxl": "jpegxl_pipe",
}

PICTURE_DEMUXERS = frozenset(PICTURES.values()) - CONTAINERS

# ffprobe takes image2 for a file named .jpg; the names are ours, and hold no pattern.
PROBE_WHITELIST = ",".join(sorted(CONTAINERS | PICTURE_DEMUXERS | {"image2"}))


def is_picture(format_name: str) -> bool:
    return format_name == "image2" or format_name in PICTURE_DEMUXERS


def pin(format_name: str, video_codec: str | None) -> str | None:
    """The one demuxer to read a probed file with; ``None`` where no allowed one fits."""
    if format_name == "image2":
        return PICTURES.get(video_codec or "")
    names = format_name.split(",")
    allowed = CONTAINERS | PICTURE_DEMUXERS
    return next((name for name in names if name in allowed), None)
