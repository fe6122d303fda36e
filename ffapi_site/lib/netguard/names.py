"""A name for a downloaded file, from what a stranger's server says."""

from __future__ import annotations

import unicodedata
from email.message import Message
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

from ffapi_site.lib.text import composed

_LONGEST: Final = 150
_LONGEST_HEADER: Final = 8 * 1024
_LONGEST_GIVEN: Final = 4 * _LONGEST
_LONGEST_SUFFIX: Final = 20
_NAMELESS: Final = "download"


def file_name(content_disposition: str | None, path: str) -> str:
    """Name by Content-Disposition (RFC 6266), else by the URL's path; safe to show and store."""
    said = _said(content_disposition) if content_disposition else ""
    return safe(said) or safe(unquote(path.partition("?")[0])) or _NAMELESS


def safe(name: str) -> str:
    """Last part of the name, without control, format or private characters; may be empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    # Categories C*: controls, bidirectional overrides, surrogates, private use, unassigned.
    kept = "".join(char for char in last if not unicodedata.category(char).startswith("C"))
    if len(kept) > _LONGEST_GIVEN:  # its beginning, and its end for the suffix
        kept = kept[: _LONGEST_GIVEN - _LONGEST_SUFFIX] + kept[-_LONGEST_SUFFIX:]
    whole = composed(kept, _LONGEST_GIVEN).strip(" .")
    suffix = PurePosixPath(whole).suffix[:_LONGEST_SUFFIX]
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - len(suffix)] + suffix


def _said(content_disposition: str) -> str:
    # What takes the header apart looks through all of it again for each of its parts.
    if len(content_disposition) > _LONGEST_HEADER:
        return ""
    message = Message()
    message["Content-Disposition"] = content_disposition
    try:
        name = message.get_filename() or ""
    except ValueError:  # a charset such as "idna", whose codec can't replace what it can't read
        return ""
    try:
        # Servers send raw UTF-8 where the header's octets mean Latin-1.
        return name.encode("latin-1").decode()
    except UnicodeError:
        return name
