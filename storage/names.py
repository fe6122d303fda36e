from __future__ import annotations

import unicodedata

from django.conf import settings

_MAX_LENGTH = 255
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
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if character in _JOINERS or unicodedata.category(character)[0] != "C"
    )
    name = " ".join(visible.split()).rstrip(". ")
    if not name.strip("."):
        raise NameRefused("nothing is left of this name", "bad_name")
    if len(name) > _MAX_LENGTH:
        raise NameRefused(f"a name has at most {_MAX_LENGTH} characters", "name_too_long")
    for extension in settings.BLOCKED_FILE_EXTENSIONS:
        if name.lower().endswith(f".{extension.lower().removeprefix('.')}"):
            raise NameRefused(f"files ending in {extension} are not taken", "extension_blocked")
    return name
