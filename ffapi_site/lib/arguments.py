"""Numbers on a command line: read within bounds, so that a wrong one is told and no traceback."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Final

MOST: Final = 2**31 - 1
"""What a column of numbers holds."""
_LONGEST: Final = 20  # Python refuses to read thousands of digits, and says so by a ValueError


def whole(text: str, *, least: int = 0, most: int = MOST) -> int:
    """Read a number of digits only. Raises ``ArgumentTypeError``, which argparse tells."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST
    if not is_number or not least <= int(text) <= most:
        raise ArgumentTypeError(f"a whole number from {least} to {most} is wanted")
    return int(text)


def whole_from(least: int, most: int = MOST) -> Callable[[str], int]:
    """The same as argparse's ``type``."""
    return lambda text: whole(text, least=least, most=most)


def seconds(text: str) -> float:
    """Read a span of time. Raises ``ArgumentTypeError``."""
    try:
        span_s = float(text)
    except ValueError:
        span_s = math.nan
    if not 0 <= span_s <= MOST:
        raise ArgumentTypeError("a number of seconds is wanted")
    return span_s
