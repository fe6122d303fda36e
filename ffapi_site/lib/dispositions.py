"""How a download is called: the one place that writes ``Content-Disposition``."""

from __future__ import annotations

import re
from urllib.parse import quote

# All that means itself to every browser within quotes. Not so: a percent sign, which some decode;
# quotes and backslashes; a semicolon, at which some stop (RFC 6266, appendix D).
_PLAIN = re.compile(r"[ !#$&'()+,\-.0-9=@A-Z\[\]^_`a-z{}~]+")


def content_disposition(name: str, *, inline: bool = False) -> str:
    """Give the header's value; what is not plain is told as RFC 8187 has it."""
    how = "inline" if inline else "attachment"
    if _PLAIN.fullmatch(name):
        return f'{how}; filename="{name}"'
    return f"{how}; filename*=utf-8''{quote(name, safe='')}"
