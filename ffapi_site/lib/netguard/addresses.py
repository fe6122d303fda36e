"""Which addresses may be connected to.

``ipaddress.is_global`` and ``not is_private`` both let some through that lead inside. These tables
follow the IANA special-purpose address registries (RFC 6890) and name the cloud metadata services.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Final

_PRIVATE_V4: Final = [
    IPv4Network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
    )
]
_NEVER_V4: Final = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this host": Linux connects to itself
        "100.100.100.200/32",  # Alibaba metadata
        "168.63.129.16/32",  # Azure's host, a public address
        "169.254.0.0/16",  # link-local, most metadata services
        "192.0.0.0/24",  # IETF, Oracle metadata
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.175.48.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_PRIVATE_V6: Final = [IPv6Network("::1/128"), IPv6Network("fc00::/7")]
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_NEVER_V6: Final = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF: Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
        "fd00:ec2::/32",  # AWS metadata, time, DNS
        "fd20:ce::/32",  # Google metadata
    )
]
_NAT64: Final = IPv6Network("64:ff9b::/96")
# The interface identifier of ISATAP (RFC 5214, 6.1), global or local, ends in an IPv4 address.
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Say whether this address, or the IPv4 address that it carries, may be connected to."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        carried = IPv4Address(int(parsed) & 0xFFFF_FFFF) if parsed in _NAT64 else parsed.ipv4_mapped
        if carried is None:
            if any(parsed in network for network in _NEVER_V6):
                return False
            if any(parsed in network for network in _PRIVATE_V6):
                return allow_private
            is_isatap = (int(parsed) >> 32) & 0xFFFF_FFFF in _ISATAP
            return parsed in _GLOBAL_V6 and not is_isatap
        parsed = carried
    if any(parsed in network for network in _NEVER_V4):
        return False
    return allow_private or not any(parsed in network for network in _PRIVATE_V4)
