from __future__ import annotations


class Refused(ValueError):  # noqa: N818 -- what happened to a word of a command
    """``position`` is the place of the word in a command that was given as a list."""

    def __init__(self, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


def shown(text: str) -> str:
    """A user's word as a sentence can hold it."""
    readable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return readable if len(readable) <= _LONGEST else f"{readable[:_LONGEST]}…"


_LONGEST = 80
