from __future__ import annotations

import unicodedata

from django.conf import settings

from ffapi_site.lib.lengths import length_of
from ffapi_site.lib.refusal import Refusal
from ffapi_site.lib.text import TooLong, composed
from storage.models import File

_LONGEST = length_of(File, "name")
# As given: composing joins up to three characters into one, and what can't be seen is left out.
_LONGEST_GIVEN = 4 * _LONGEST
_JOINERS = {"\u200c", "\u200d"}  # parts of words and emoji; every other format character misleads


class NameRefused(Refusal):
    """A file can't have this name"""


def clean_name(given: str) -> str:
    """Make of what a client calls a file the name that it is shown and downloaded under.

    The last part of a path, in NFC, without control and direction characters. Raises
    ``NameRefused`` where nothing is left, where it is too long, or for a blocked extension.
    """
    try:
        last_part = composed(given.replace("\\", "/").rsplit("/", 1)[-1], _LONGEST_GIVEN)
    except TooLong as error:
        raise _too_long() from error
    visible = "".join(
        character
        for character in last_part
        if character in _JOINERS or unicodedata.category(character)[0] != "C"
    )
    name = " ".join(visible.split()).rstrip(". ")
    if not name.strip("."):
        raise NameRefused("bad_name", "nothing is left of this name")
    if len(name) > _LONGEST:
        raise _too_long()
    for extension in settings.BLOCKED_FILE_EXTENSIONS:
        if name.lower().endswith(f".{extension.lower().removeprefix('.')}"):
            raise NameRefused("extension_blocked", f"files ending in {extension} are not taken")
    return name


def _too_long() -> NameRefused:
    return NameRefused("name_too_long", f"a name has at most {_LONGEST} characters")


def with_ending(stem: str, ending: str, *, most_bytes: int | None = None) -> str:
    """Put a name together; where it is longer than one may be, the stem is cut.

    ``most_bytes`` is what a file system takes of a name, for names that go to a disk.
    """
    cut = stem[: _LONGEST - len(ending)]
    if most_bytes is not None:
        cut = cut.encode()[: most_bytes - len(ending.encode())].decode(errors="ignore")
    return (stem if cut == stem else cut.rstrip(". ")) + ending
