from __future__ import annotations

import unicodedata

from django.conf import settings

from ffapi_site.lib.text import TooLong, composed

_MAX_LENGTH = 255
# As given: composing joins up to three characters into one, and what can't be seen is left out.
_LONGEST_GIVEN = 4 * _MAX_LENGTH
_JOINERS = {"\u200c", "\u200d"}  # parts of words and emoji; every other format character misleads


class NameRefused(Exception):  # noqa: N818 -- a verdict
    """A file can't have this name"""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


def clean_name(given: str) -> str:
    """Make of what a client calls a file the name that it is shown and downloaded under.

    The last part of a path, in NFC, without control and direction characters. Raises
    ``NameRefused`` where nothing is left, where it is too long, or for a blocked extension.
    """
    visible = "".join(
        character
        for character in _last_part(given)
        if character in _JOINERS or unicodedata.category(character)[0] != "C"
    )
    name = " ".join(visible.split()).rstrip(". ")
    if not name.strip("."):
        raise NameRefused("nothing is left of this name", "bad_name")
    if len(name) > _MAX_LENGTH:
        raise _too_long()
    for extension in settings.BLOCKED_FILE_EXTENSIONS:
        if name.lower().endswith(f".{extension.lower().removeprefix('.')}"):
            raise NameRefused(f"files ending in {extension} are not taken", "extension_blocked")
    return name


def _last_part(path: str) -> str:
    try:
        return composed(path.replace("\\", "/").rsplit("/", 1)[-1], _LONGEST_GIVEN)
    except TooLong as error:
        raise _too_long() from error


def _too_long() -> NameRefused:
    return NameRefused(f"a name has at most {_MAX_LENGTH} characters", "name_too_long")
