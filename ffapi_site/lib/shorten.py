"""JSON and text made to fit, where what strangers' media say is kept in rows."""

from __future__ import annotations

import json
from typing import Any

# What is left of each text, and of each list and object, tried one after the other.
_ROUNDS = ((65_536, 10_000), (4096, 1000), (1024, 300), (256, 100), (64, 30), (16, 10), (4, 3))
_CUT_TEXT = "…"


def size_bytes(value: Any) -> int:
    """The length of the JSON text, with escapes: never less than what a row takes."""
    return len(json.dumps(value))


def fits(value: Any, most_bytes: int) -> bool:
    return size_bytes(value) <= most_bytes


def shorten(value: Any, most_bytes: int) -> Any:
    """Give ``value`` itself where it fits into ``most_bytes`` of JSON, else a copy that does.

    The longest texts lose their ends first, then lists and objects. What of it is cut is only to
    be seen by comparing; where nothing is left that fits it is empty.
    """
    if fits(value, most_bytes):
        return value
    for texts, entries in _ROUNDS:
        cut = _cut(value, texts, entries)
        if fits(cut, most_bytes):
            return cut
    empty: Any = type(value)() if isinstance(value, dict | list | str) else None
    return empty


def _cut(value: Any, texts: int, entries: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= texts else value[: texts - 1] + _CUT_TEXT
    if isinstance(value, dict):
        kept = list(value.items())[:entries]
        return {str(name)[:texts]: _cut(inner, texts, entries) for name, inner in kept}
    if isinstance(value, list | tuple):
        return [_cut(inner, texts, entries) for inner in value[:entries]]
    return value


def without_middle(text: str, most_bytes: int) -> str:
    """Keep the head and the tail of what is longer than ``most_bytes`` of UTF-8; whole characters.

    The first lines of a log say what was wrong, the last how it ended.
    """
    if len(text) * 4 <= most_bytes or len(whole := text.encode(errors="replace")) <= most_bytes:
        return text
    note = f"\n[… {len(whole) - most_bytes} bytes and more are left out …]\n"
    half = (most_bytes - len(note.encode())) // 2
    head, tail = whole[:half].decode(errors="ignore"), whole[-half:].decode(errors="ignore")
    return head + note + tail
