"""The one way to open an address that a user gave: for imports and for webhooks.

Every address a name resolves to is checked, and the connection goes to the address that was
checked, so a second, different answer of the DNS changes nothing. Each redirect starts over.
Sizes and times are bounded; nothing of ours (cookies, credentials, proxies) goes along. A kept
connection is used again only if it leads to an address that was checked anew.
"""

from __future__ import annotations

from ffapi_site.lib.netguard.fetch import Answer, Downloaded, Remote, begin, download, post
from ffapi_site.lib.netguard.pieces import FIRST_BYTES
from ffapi_site.lib.netguard.policy import Policy, Refused
from ffapi_site.lib.netguard.urls import check

__all__ = [
    "FIRST_BYTES",
    "Answer",
    "Downloaded",
    "Policy",
    "Refused",
    "Remote",
    "begin",
    "check",
    "download",
    "post",
]
