"""Text from strangers, bounded before anything is done with it that costs more than reading it."""

from __future__ import annotations

import unicodedata


class TooLong(Exception):  # noqa: N818 -- a verdict
    """The text is longer than may be looked at"""


def composed(text: str, longest: int) -> str:
    """Give the NFC of a text (UAX #15); raises ``TooLong`` over ``longest`` characters.

    Combining marks are put in order in time that grows with the square of their number, and no
    other thread runs meanwhile: so the length is looked at first, and nothing else here composes.
    """
    if len(text) > longest:
        raise TooLong
    return unicodedata.normalize("NFC", text)
