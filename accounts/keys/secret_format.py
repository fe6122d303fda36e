"""A key's text: ``ffapi_``, the key's id, ``_``, 256 random bits, a checksum for scanners."""

from __future__ import annotations

import re
import secrets
import string
from zlib import crc32

_FORM = re.compile(r"ffapi_([0-9a-z]{26})_([A-Za-z0-9_-]{43})([0-9A-Za-z]{6})")
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# What has not the form costs the same look-up as what has it.
NOBODYS_ID = "key_" + "0" * 26


def new_text(key_id: str) -> str:
    """Make the text of a key with a secret that nobody has had before."""
    unchecked = f"ffapi_{key_id.removeprefix('key_')}_{secrets.token_urlsafe(32)}"
    return unchecked + checksum(unchecked)


def id_in(text: str) -> str:
    """Give the id that a key's text names, or that of nobody where it is no key's text."""
    form = _FORM.fullmatch(text)
    if form is None or checksum(text[:-6]) != form[3]:
        return NOBODYS_ID
    return f"key_{form[1]}"


def checksum(text: str) -> str:
    """CRC-32 in six base-62 digits: tells a mistyped key from a wrong one without a query."""
    number, digits = crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
