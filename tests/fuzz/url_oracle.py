"""Where a browser, a C library and ``ipaddress`` think that a URL leads: a second opinion.

Written from the WHATWG URL standard (4.4 and 3.5), not from the code that it judges; lenient where
that is strict, so that whatever the judged code accepts has one meaning only.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote

import idna

Address = IPv4Address | IPv6Address
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")
# What IANA's registries call special, and what ``ipaddress`` takes for global all the same.
_SPECIAL = [
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "168.63.129.16/32"),
        *("::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16"),
        *("2620:4f:8000::/48", "3fff::/20"),
    )
]


def is_public(address: Address) -> bool:
    """Strictly: an IPv6 address that carries an IPv4 one leads where that leads."""
    if isinstance(address, IPv6Address):
        is_translated = int(address) >> 32 == 0x64FF9B << 64
        if address.ipv4_mapped is not None or is_translated:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.sixtofour is not None or address.teredo is not None:
            return False
        if (int(address) >> 32) & 0xFDFF_FFFF == 0x5EFE:  # ISATAP
            return False
    if address.is_multicast or address.is_loopback or address.is_link_local:
        return False
    return not any(address in network for network in _SPECIAL if network.version == address.version)


def host_of(url: str) -> Address | str | None:
    """The host that a browser would go to; None for what it would not open by HTTP."""
    text = re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(33)))))
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in {"http", "https"}:
        return None
    authority = re.split(r"[/\\?#]", rest.lstrip("/\\"), maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        return _v6(host.partition("]")[0][1:])
    name = _mapped(unquote(host.partition(":")[0]))
    if name is None or not _ends_in_a_number(name):
        return name
    return _v4(name)


def _v6(text: str) -> Address | None:
    try:
        return IPv6Address(text)
    except ValueError:
        return None


def _mapped(name: str) -> str | None:
    if name.isascii():
        return name.lower()
    try:
        return idna.encode(name, uts46=True, transitional=False).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return None


def _ends_in_a_number(name: str) -> bool:
    return _NUMBER.fullmatch(name.removesuffix(".").rpartition(".")[2]) is not None


def _v4(name: str) -> Address | None:
    """Read as C libraries do: fewer than four parts, octal and hexadecimal ones."""
    parts = name.removesuffix(".").split(".")
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *first, last = numbers
    if len(numbers) > 4 or any(each > 255 for each in first) or last >= 256 ** (5 - len(numbers)):
        return None
    whole = last + sum(each * 256 ** (3 - place) for place, each in enumerate(first))
    return IPv4Address(whole)


def _number(part: str) -> int:
    if not _NUMBER.fullmatch(part):
        raise ValueError(part)
    if part[:2] in {"0x", "0X"}:
        return int(part[2:] or "0", 16)
    return int(part, 8) if part.startswith("0") and len(part) > 1 else int(part)


def in_c(name: str) -> IPv4Address | None:
    """What ``inet_aton`` makes of a name, as ``getaddrinfo`` would."""
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None
