"""What a file is, told from its first bytes, before anything is asked to decode it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

import puremagic

from ffapi_site.lib.refusal import Refusal
from storage.content_types import DEFAULT, content_type_of, extension_of

HEAD_BYTES = 1024 * 1024  # as much as FFmpeg looks at to tell a format


class Kind(Enum):
    MEDIA = "media"  # to be confirmed by a probe
    TEXT = "text"
    FONT = "font"


@dataclass(frozen=True)
class Sniffed:
    kind: Kind
    content_type: str


class FileRefused(Refusal):
    """The file is nothing that is taken here"""


_PLAYLIST_EXTENSIONS = {"m3u", "m3u8", "mpd", "sdp", "ffconcat", "pls", "asx", "ism", "smil"}
_PLAYLIST_START = re.compile(
    rb"#EXTM3U|ffconcat\b|v=0\r?\n|\[playlist\]|\[reference\]|<asx\b|<smil\b", re.IGNORECASE
)
# FFmpeg finds these anywhere in a text, which for it ends where the first NUL is: in binary media
# they are a tag, or what happens to be there.
_PLAYLIST_INSIDE = re.compile(
    rb"<MPD[\s>]|urn:mpeg:dash:|<SmoothStreamingMedia|<CompositionPlaylist|^c=IN IP",
    re.IGNORECASE | re.MULTILINE,
)
# Possessive, so that each of its bytes is looked at once: n comments in a row could be parted in
# 2^n ways.
_PROLOGUE = rb"(?:<\?xml[^>]*+>\s*+)?+(?:<!--(?:(?!-->).)*+-->\s*+)*+"
_PAGE = rb"<(?:!doctype\s+html|html|head|body|script)\b"
_ARCHIVE = rb"PK\x03\x04|PK\x05\x06|\x1f\x8b|7z\xbc\xaf|\xfd7zXZ|BZh[1-9]|Rar!|\x28\xb5\x2f\xfd"
_REFUSED_START = (
    (re.compile(rb"\x7fELF|MZ|\xca\xfe\xba\xbe|[\xce\xcf]\xfa\xed\xfe|#!\s*/"), "a program"),
    (re.compile(_PROLOGUE + rb"<(?:!doctype\s+)?svg\b", re.IGNORECASE | re.DOTALL), "SVG"),
    (re.compile(_PROLOGUE + _PAGE, re.IGNORECASE | re.DOTALL), "HTML"),
    (
        re.compile(rb"%!PS|\xc5\xd0\xd3\xc6|%PDF-|push graphic-context|viewbox ", re.IGNORECASE),
        "a document",
    ),
    (re.compile(_ARCHIVE), "an archive"),
)
_FONTS = {
    b"\x00\x01\x00\x00": "font/ttf", b"true": "font/ttf", b"OTTO": "font/otf",
    b"ttcf": "font/collection", b"wOFF": "font/woff", b"wOF2": "font/woff2",
}  # fmt: skip
_SUBTITLES = (
    (re.compile(r"WEBVTT\b"), "text/vtt"),
    (re.compile(r"\[Script Info\]", re.IGNORECASE), "text/x-ass"),
    (re.compile(r"\d+\s*\n\d\d:\d\d:\d\d[,.]\d{3}\s*-->"), "text/x-subrip"),
)
_PICTURE_IN_BOXES = re.compile(rb".{4}ftyp(?:avi[fs]|hei[cxms]|hev[cx]|mif1|msf1)", re.DOTALL)
_TAG = re.compile(rb"ID3[^\xff][^\xff](.)([\x00-\x7f]{4})", re.DOTALL)
_TAG_HEADER_BYTES = 10
_TAG_HAS_FOOTER = 0x10
_START_BYTES = 4096
_LEAST_BYTES = 64 << 10
_BLANK = b" \t\r\n\x00"
_BINARY_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_RAW_VIDEO = b"YUV4MPEG2"  # a line of text, then bytes that may all be printable


def _past_tags(head: bytes) -> bytes:
    """What comes after the ID3v2 tags at the start, which FFmpeg skips to tell a format."""
    at = 0
    while tag := _TAG.match(head, at):
        size = 0
        for byte in tag[2]:
            size = size << 7 | byte
        footer_bytes = _TAG_HEADER_BYTES if tag[1][0] & _TAG_HAS_FOOTER else 0
        at += _TAG_HEADER_BYTES + size + footer_bytes
    return head[at:]  # cut once: a file may be nothing but tags


def head_of(content: BinaryIO) -> bytes:
    """The first ``HEAD_BYTES`` of a file, or fewer where the others would tell no more of it."""
    head = content.read(_LEAST_BYTES)
    told_by = _past_tags(head)
    is_text = b"\x00" not in told_by.lstrip(_BLANK) or head.startswith(_BOMS[1:])
    if is_text or len(told_by) < _START_BYTES:
        head += content.read(HEAD_BYTES - len(head))
    return head


def sniff(head: bytes, name: str) -> Sniffed:
    """Tell what a file is from its `head_of` and its name. Raises ``FileRefused``."""
    if not head:
        raise FileRefused("empty_file", "the file has no bytes")
    told_by = _past_tags(head)
    start = told_by[:_START_BYTES].lstrip(_BOMS[0] + _BLANK)
    _refuse_playlists(told_by, start, name)
    for pattern, what in _REFUSED_START:
        if pattern.match(start):
            raise FileRefused("file_type_refused", f"the file is {what}, not media")
    if head.startswith(_BOMS[1:]):
        return Sniffed(Kind.TEXT, _subtitle_type(head.decode("utf-16", "replace"), name))
    if _BINARY_BYTES.search(head) or head.startswith(_RAW_VIDEO):
        return _sniff_binary(head, name)
    return Sniffed(Kind.TEXT, _subtitle_type(head.decode("utf-8-sig", "replace"), name))


def _refuse_playlists(head: bytes, start: bytes, name: str) -> None:
    text = head.lstrip(_BLANK).partition(b"\x00")[0]
    if (
        extension_of(name) in _PLAYLIST_EXTENSIONS
        or _PLAYLIST_START.match(start)
        or _PLAYLIST_INSIDE.search(text)
    ):
        detail = "playlists and manifests are not taken: they name other files; send the media"
        raise FileRefused("playlist_refused", detail)


def _subtitle_type(text: str, name: str) -> str:
    by_name = content_type_of(name)
    if by_name.startswith("text/"):
        return by_name
    if by_name == DEFAULT:  # no telling extension: the text itself may tell
        start = text[:_START_BYTES].lstrip("\ufeff\r\n ").replace("\r\n", "\n")
        for pattern, content_type in _SUBTITLES:
            if pattern.match(start):
                return content_type
    raise FileRefused(
        "media_type_mismatch",
        "the file is plain text; text is taken as subtitles (.srt .vtt .ass .ssa) or as a colour "
        "table (.cube)",
    )


def _sniff_binary(head: bytes, name: str) -> Sniffed:
    by_name = content_type_of(name)
    family = by_name.partition("/")[0]
    if family in {"font", "application"} and (font := _FONTS.get(head[:4])):
        return Sniffed(Kind.FONT, font)
    if family in {"font", "text"} or by_name == "application/json":
        detail = f"the bytes are not what .{extension_of(name)} stands for"
        raise FileRefused("media_type_mismatch", detail)
    by_bytes = _magic_type(head)
    if by_name == DEFAULT:  # the name says nothing
        return Sniffed(Kind.MEDIA, by_bytes)
    if by_bytes != DEFAULT and (family == "image") != by_bytes.startswith("image/"):
        detail = f"the bytes are {by_bytes}, which .{extension_of(name)} does not stand for"
        raise FileRefused("media_type_mismatch", detail)
    return Sniffed(Kind.MEDIA, by_name)


def _magic_type(head: bytes) -> str:
    if _PICTURE_IN_BOXES.match(head):
        return "image/heif"
    try:
        found = puremagic.magic_string(head[:4096])
    except puremagic.PureError:
        return DEFAULT
    families = ("video/", "audio/", "image/")
    return next((str(m.mime_type) for m in found if m.mime_type.startswith(families)), DEFAULT)
