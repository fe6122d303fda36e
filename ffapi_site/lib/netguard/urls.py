"""One strict reading of a URL: what two parsers could read differently is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import idna

from ffapi_site.lib.netguard.addresses import is_allowed
from ffapi_site.lib.netguard.policy import Policy, Refused
from ffapi_site.lib.web_addresses import LONGEST_URL

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_BRACKETED: Final = re.compile(r"\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Percent signs stay: what is quoted already must not be quoted twice.
_UNQUOTED: Final = "/?:@!$&'()*+,;=-._~%[]"
# Of a redirect only spaces and bytes beyond ASCII are escaped: the rest is for `parse` to refuse.
_AS_IT_IS: Final = "".join(chr(code) for code in range(128) if code != ord(" "))
_AUTHORITY: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?//[^/?#]*")
# Some answer with metadata under a name whose address alone would not give them away.
_METADATA_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
)


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    """Lower case; an IPv6 address without brackets."""
    port: int
    path: str
    """With the query, ready to be sent."""

    @property
    def origin(self) -> tuple[bytes, bytes, int]:
        return self.scheme.encode(), self.host.encode(), self.port

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        default = f":{_DEFAULT_PORTS[self.scheme]}"
        return self.authority.removesuffix(default)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.path}"


def of_location(header: str) -> str:
    """Make a reference of a ``Location`` as browsers do: what is not escaped in it they escape.

    ``header`` has one character for each byte that came. Host names may be UTF-8, which `parse`
    judges; paths and queries keep their bytes. Everything else that is wrong stays wrong.
    """
    found = _AUTHORITY.match(header)
    host = found[0] if found else ""
    rest = header.removeprefix(host).encode("latin-1")
    return host.encode("latin-1").decode("utf-8", "replace") + quote(rest, safe=_AS_IT_IS)


def check(url: str, policy: Policy) -> None:
    """Refuse what can be refused before a name is resolved; raises Refused."""
    parse(url, policy)


def parse(url: str, policy: Policy) -> Target:
    """Read a URL; raises Refused."""
    if len(url) > LONGEST_URL:
        raise Refused("url_invalid", f"a URL has at most {LONGEST_URL} characters")
    # urlsplit would drop tabs and line ends silently.
    if _FORBIDDEN.search(url):
        raise Refused("url_invalid", "spaces, control characters and backslashes must be escaped")
    try:
        split = urlsplit(url)
    except ValueError as error:
        raise Refused("url_invalid", "this is not a URL") from error
    if split.scheme not in _DEFAULT_PORTS:
        raise Refused("url_scheme_not_allowed", "only http and https addresses can be opened")
    if "@" in split.netloc:
        raise Refused("url_has_credentials", "a user name or password in a URL is not accepted")
    query = f"?{split.query}" if split.query else ""
    path = quote((split.path or "/") + query, safe=_UNQUOTED)
    target = Target(split.scheme, _host(split), _port(split), path)
    if target.authority not in policy.allowlist:
        _refuse_inside(target.host, policy)
    return target


def _port(split: SplitResult) -> int:
    try:
        port = split.port
    except ValueError as error:
        raise Refused("url_invalid", "the port is not a number up to 65535") from error
    if port == 0 or split.netloc.endswith(":"):
        raise Refused("url_invalid", "the port is missing or 0")
    return port or _DEFAULT_PORTS[split.scheme]


def _host(split: SplitResult) -> str:
    if not split.hostname:
        raise Refused("url_invalid", "the host is missing")
    if "[" in split.netloc:
        # Zones, and text after the bracket, are read differently by different parsers.
        if not _BRACKETED.fullmatch(split.netloc):
            raise Refused("url_invalid", "the IPv6 address is malformed")
        try:
            return str(IPv6Address(split.hostname))
        except AddressValueError as error:
            raise Refused("url_invalid", "the IPv6 address is malformed") from error
    host = split.hostname.lower()
    if not split.hostname.isascii():
        try:
            # Strict: no mapping of look-alikes such as circled or full-width digits.
            host = idna.encode(split.hostname, strict=True, std3_rules=True).decode()
        except idna.IDNAError as error:
            raise Refused("url_invalid", "the host is not a valid international name") from error
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("url_invalid", "the host is not spelt as a name or an address")
    if not _NUMERIC.fullmatch(labels[-1]):
        return host
    try:  # only four decimal numbers; C libraries also read octal, hexadecimal and fewer parts
        return str(IPv4Address(host))
    except AddressValueError as error:
        raise Refused("url_invalid", "write the address as four decimal numbers") from error


def _refuse_inside(host: str, policy: Policy) -> None:
    is_local = f".{host}".endswith(".localhost")
    address = "127.0.0.1" if is_local else host
    is_address = ":" in address or _NUMERIC.fullmatch(address.rpartition(".")[2])
    if host in _METADATA_NAMES or (
        is_address and not is_allowed(address, allow_private=policy.allow_private)
    ):
        raise not_allowed(host)


def not_allowed(host: str) -> Refused:
    detail = f"{host} is not a public address on the internet"
    return Refused("url_address_not_allowed", detail)
