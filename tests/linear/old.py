"""What was once here, and is to be found wherever it comes back."""

from __future__ import annotations

import re
import unicodedata
from email.message import Message

from tests.linear.patterns import Found
from tests.linear.readers import Reader

_PROLOGUE = rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"


def _found(name: str, used: str, pattern: re.Pattern[str] | re.Pattern[bytes]) -> Found:
    return Found(name, 0, pattern, frozenset({used}))


PATTERNS = (
    # Of the bytes before a drawing, which could be parted in 2^n ways.
    _found("prologue", "match", re.compile(_PROLOGUE + rb"<svg\b", re.IGNORECASE | re.DOTALL)),
    # Of the loudness in what FFmpeg printed.
    _found("measured", "findall", re.compile(r"\{[^{}]*\"input_i\"[^{}]*\}", re.DOTALL)),
    # Of a line of progress.
    _found("progress", "match", re.compile(r"^\s*([a-z_0-9]+)=\s*(.*?)\s*$")),
    # Of a failure in a line as long as a tag.
    _found("failure", "search", re.compile(r"Compatible profile .* is not supported by driver")),
    # Of a cell that a spreadsheet would compute.
    _found("formula", "sub", re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@|%\t\r\n])")),
)


def _header(text: str) -> str | None:
    message = Message()
    message["Content-Disposition"] = f'attachment; filename="{text}"'
    return message.get_filename()


READERS = (
    Reader("marks", lambda text: unicodedata.normalize("NFC", text)),
    Reader("header", _header, largest=65_536),
)
