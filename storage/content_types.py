from __future__ import annotations

from pathlib import PurePosixPath

DEFAULT = "application/octet-stream"

_OF_EXTENSION = {
    "video": {
        "mp4": "mp4", "m4v": "x-m4v", "mov": "quicktime", "mkv": "x-matroska", "webm": "webm",
        "avi": "x-msvideo", "wmv": "x-ms-wmv", "flv": "x-flv", "ts": "mp2t", "mts": "mp2t",
        "m2ts": "mp2t", "mpg": "mpeg", "mpeg": "mpeg", "ogv": "ogg", "3gp": "3gpp", "mxf": "mxf",
        "y4m": "x-yuv4mpeg",
    },
    "audio": {
        "mp3": "mpeg", "m4a": "mp4", "aac": "aac", "flac": "flac", "wav": "wav", "ogg": "ogg",
        "oga": "ogg", "opus": "ogg", "wma": "x-ms-wma", "aiff": "aiff", "aif": "aiff",
        "ac3": "ac3", "eac3": "eac3", "mka": "x-matroska", "amr": "amr", "caf": "x-caf",
    },
    "image": {
        "jpg": "jpeg", "jpeg": "jpeg", "png": "png", "apng": "apng", "gif": "gif", "webp": "webp",
        "avif": "avif", "heic": "heic", "bmp": "bmp", "tif": "tiff", "tiff": "tiff", "jxl": "jxl",
    },
    "font": {"ttf": "ttf", "otf": "otf", "ttc": "collection", "woff": "woff", "woff2": "woff2"},
    "text": {"srt": "x-subrip", "vtt": "vtt", "ass": "x-ass", "ssa": "x-ssa", "cube": "x-cube"},
}  # fmt: skip
_TYPES = {
    extension: f"{family}/{subtype}"
    for family, subtypes in _OF_EXTENSION.items()
    for extension, subtype in subtypes.items()
} | {"json": "application/json"}


def extension_of(name: str) -> str:
    return PurePosixPath(name.lower()).suffix.removeprefix(".")


def content_type_of(name: str) -> str:
    """Give the content type that the extension of ``name`` stands for."""
    return _TYPES.get(extension_of(name), DEFAULT)
