"""FFmpeg's own words, told apart from the tags of a file that it repeats among them.

Asked for colours (``MARKED``), FFmpeg puts an escape sequence before the name of whichever of its
parts speaks, and before all that is a warning or worse. Tags it prints without one, under no name,
as mere information, and replaces whatever would escape in them (``sanitize`` in libavutil/log.c).
So a tag may read like any message, over as many lines as it likes: where no escape sequence opens
a message, FFmpeg did not say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MARKED = {"AV_LOG_FORCE_COLOR": "1"}
"""For the environment of whatever is to be read here."""

_MARK = re.compile(r"\x1b\[[0-9;]{0,40}m")
_CLOSED = "\x1b[0m"
# Of a message and of all messages as much as tells why: the first ones, and the last ones.
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 400, 100
_HEAD_MESSAGES, _TAIL_MESSAGES = 100, 300


class Unsaid(Exception):  # noqa: N818 -- what FFmpeg left out
    """FFmpeg ended well without saying what it was asked to measure"""


def plain(log: str) -> str:
    """All that was printed, as people read it."""
    return _MARK.sub("", log)


def own(log: str) -> str:
    """FFmpeg's own messages, one a line, however many lines each had; the middle may be left out.

    Most of what is said for information only is missing.
    """
    said = []
    for message in _messages(log):
        line = message.strip().replace("\n", " ")
        if len(line) > _HEAD_CHARACTERS + _TAIL_CHARACTERS:
            line = f"{line[:_HEAD_CHARACTERS]} ... {line[-_TAIL_CHARACTERS:]}"
        said.append(line)
    if len(said) > _HEAD_MESSAGES + _TAIL_MESSAGES:
        said = [*said[:_HEAD_MESSAGES], *said[-_TAIL_MESSAGES:]]
    return "\n".join(said)


def of_filter(log: str, name: str) -> Iterator[str]:
    """What the filters ``name`` said for information, a message each; the last is open-ended."""
    speaker = f"[Parsed_{name}_"
    speaks = False
    for text, is_marked in _pieces(log):
        if is_marked:
            speaks = text.startswith(speaker)
        elif speaks:
            yield text


def _pieces(log: str) -> Iterator[tuple[str, bool]]:
    """The log in pieces, each with whether FFmpeg has marked it."""
    at, is_marked = 0, False
    for mark in _MARK.finditer(log):
        if mark.start() > at:
            yield log[at : mark.start()], is_marked
        at, is_marked = mark.end(), mark[0] != _CLOSED
    if at < len(log):
        yield log[at:], is_marked


def _messages(log: str) -> Iterator[str]:
    """A message is what is marked up to where a piece of it ends its line.

    What is said for information goes on without a mark after its speaker's name: that far only its
    first line is certain to be its own.
    """
    message: list[str] = []
    for text, is_marked in _pieces(log):
        if is_marked:
            said, ends = text, text.endswith("\n")
        elif message:
            said, newline, _ = text.partition("\n")
            ends = bool(newline)
        else:
            continue
        message.append(said)
        if ends:
            yield "".join(message)
            message = []
    if message:
        yield "".join(message)
