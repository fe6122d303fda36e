"""Whose request it is, by address: the one place where ``X-Forwarded-For`` is believed or not."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
_SUBSCRIBER_BITS = 64  # of an IPv6 address: the rest is the subscriber's to change (RFC 6177)


def client_address(request: HttpRequest) -> str:
    """Give the address of who sent the request, in one spelling; empty where there is none.

    ``X-Forwarded-For`` is read from its end, only as far as proxies of ``TRUSTED_PROXIES`` wrote
    it: what stands before could have been made up by the client.
    """
    address = _read(str(request.META.get("REMOTE_ADDR", "")))
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    while hops and address and _is_trusted(address):
        further = _read(hops.pop())
        if further is None:
            break
        address = further
    return str(address) if address else ""


def address_block(request: HttpRequest) -> str:
    """Give what limits are counted by: the address, or the /64 that one subscriber holds."""
    return block_of(client_address(request))


def block_of(address: str) -> str:
    """Give the address, or the /64 that one subscriber holds; empty of an empty one."""
    if ":" not in address:
        return address
    return str(ip_network((address, _SUBSCRIBER_BITS), strict=False).network_address)


def limited_address(peer: str) -> str:
    """Give what connections of ``peer`` are counted by; empty for a trusted proxy's.

    Behind a proxy stand many clients: its own connections say nothing of how many each has.
    """
    address = _read(peer)
    return block_of(str(address)) if address and not _is_trusted(address) else ""


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _read(text: str) -> Address | None:
    """Read an address as proxies write it, with a port or without."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])  # without the zone, which is any text
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
