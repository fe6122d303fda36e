"""What the sender says a file is (its Content-Type), held against what it was found to be. Pure."""

from __future__ import annotations

import re

_PLAYLISTS = re.compile(
    r"(?:application|audio)/(?:vnd\.apple\.|x-)?mpegurl|application/dash\+xml|application/sdp"
    r"|video/vnd\.mpeg\.dash\.mpd|application/vnd\.ms-sstr\+xml|application/xspf\+xml"
    r"|audio/(?:x-)?scpls|application/(?:x-)?smil(?:\+xml)?|video/x-ms-asf-plugin|video/x-ms-asx"
)
_DOCUMENTS = re.compile(
    r"text/(?:html|css|javascript|xml)|application/(?:(?:x-)?javascript|json|xml|[\w.-]+\+(?:xml"
    r"|json)|pdf|postscript|zip|gzip|x-gzip|x-tar|x-7z-compressed|x-sh|x-msdownload|java-archive"
    r"|x-msdos-program|wasm)|image/svg\+xml|image/x-mvg|message/.+|multipart/.+"
)
_FAMILIES = {"video": "film", "audio": "film", "image": "picture", "font": "font"}


def is_playlist(declared: str) -> bool:
    return _PLAYLISTS.fullmatch(declared) is not None


def contradicts(declared: str, found: str) -> bool:
    """Tell whether a file of the type ``found`` can't be what its sender says.

    Servers send ``application/octet-stream`` or ``text/plain`` for what they don't know, so these
    and every other type that is not known here say nothing. A film may call itself a sound, and
    the other way round: many containers hold both.
    """
    if _DOCUMENTS.fullmatch(declared):
        return True
    said, family = (_FAMILIES.get(each.partition("/")[0]) for each in (declared, found))
    return said is not None and family is not None and said != family
