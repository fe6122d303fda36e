"""Byte ranges and validators of HTTP (RFC 9110, sections 13 and 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


class Unsatisfiable(Exception):  # noqa: N818 -- a verdict
    """No byte of the range exists"""


@dataclass(frozen=True)
class ByteRange:
    start: int
    size_bytes: int

    def content_range(self, total_bytes: int) -> str:
        return f"bytes {self.start}-{self.start + self.size_bytes - 1}/{total_bytes}"


def requested(header: str | None, total_bytes: int) -> ByteRange | None:
    """Read a ``Range`` header; None means the whole, as for anything that is not one range.

    Raises ``Unsatisfiable`` where the range lies behind the end.
    """
    match = _SINGLE.fullmatch(header or "")
    if match is None or match.group(1, 2) == ("", ""):
        return None
    first, last = match.group(1, 2)
    if not first:
        size_bytes = min(int(last), total_bytes)
        start = total_bytes - size_bytes
    else:
        start = int(first)
        end = min(int(last), total_bytes - 1) if last else total_bytes - 1
        if last and int(last) < start:
            return None
        size_bytes = end - start + 1
    if size_bytes <= 0:
        raise Unsatisfiable
    return ByteRange(start, size_bytes)


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """Tell whether the client's copy is the current one: weak comparison, section 13.1.2."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or tags == ["*"]


def may_resume(if_range: str | None, etag: str) -> bool:
    """Tell whether a range still belongs to what the client has: strong comparison, 13.1.5."""
    return if_range is None or if_range.strip() == etag
