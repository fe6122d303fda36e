from __future__ import annotations

from ffapi_site.lib.refusal import Refusal


class Refused(Refusal):
    """``position`` is the place of the word in a command that was given as a list."""

    def __init__(self, detail: str, position: int | None = None) -> None:
        super().__init__("invalid", detail)
        self.position = position


def shown(text: str) -> str:
    """A user's word as a sentence can hold it."""
    readable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return readable if len(readable) <= _LONGEST else f"{readable[:_LONGEST]}…"


_LONGEST = 80
