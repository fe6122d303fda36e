"""Networks that a key may be used from, as it holds them: texts like ``10.0.0.0/8``."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_MAPPED = ip_network("::ffff:0:0/96")


def network(text: str) -> Network:
    """Read an address or a network; raises ``ValueError`` with what is wrong with it."""
    if "%" in text:
        raise ValueError(f"{text} names an interface of one host; leave out what follows the %")
    given = ip_network(text)
    if isinstance(given, IPv6Network) and given.overlaps(_MAPPED):
        raise ValueError(f"{text} holds IPv4 addresses in IPv6's form; write them as IPv4")
    return given


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


def holds(texts: Collection[str], address: str) -> bool:
    """Tell whether ``address`` is in one of the networks; no networks hold every address."""
    if not texts:
        return True
    if not address:
        return False
    given = ip_address(address)
    return any(given in each for each in _networks(tuple(texts)))


def is_within(inner: Collection[str], outer: Collection[str]) -> bool:
    """Tell whether every address of ``inner`` is one of ``outer``'s; none stand for all."""
    if not outer:
        return True
    bounds = _networks(tuple(outer))
    # An IPv4 address is in no network of IPv6, nor the other way round.
    return bool(inner) and all(
        any(each.network_address in wider and each.prefixlen >= wider.prefixlen for wider in bounds)
        for each in _networks(tuple(inner))
    )
