"""Whatever the checker of URLs accepts leads to a public address, by any reading of the URL."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urljoin, urlsplit

import httpcore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffapi_site.lib.netguard import Policy, Refused
from ffapi_site.lib.netguard.addresses import is_allowed
from ffapi_site.lib.netguard.urls import Target, parse
from tests.fuzz import effort, url_oracle

PUBLIC_ONLY = Policy()
QUIET = settings(
    max_examples=effort.examples(5000, 500),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
EDGES = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32", "100.100.100.200/32"),
    *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2000::/3", "2001::/23"),
    *("2001:db8::/32", "2002::/16", "3fff::/20", "fc00::/7", "fd00:ec2::/32", "fe80::/10"),
    *("ff00::/8", "2620:4f:8000::/48", "100::/64"),
)


def _near(network: str) -> st.SearchStrategy[int]:
    """Addresses at both ends of a network, inside and out."""
    found = ipaddress.ip_network(network)
    first, last = int(found.network_address), int(found.broadcast_address)
    largest = 2**found.max_prefixlen - 1
    ends = [first - 1, first, first + 1, last - 1, last, last + 1]
    return st.one_of(
        st.sampled_from([each for each in ends if 0 <= each <= largest]),
        st.integers(first, last),
    )


_V4_EDGES = st.one_of([_near(each) for each in EDGES if "." in each])
V4 = st.one_of(st.integers(0, 2**32 - 1), _V4_EDGES).map(IPv4Address)
_CARRIERS = [0xFFFF << 32, 0x64FF9B << 96, 0, 0x2606_4700 << 96 | 0x5EFE << 32]
V6 = st.one_of(
    st.integers(0, 2**128 - 1),
    st.integers(0x2 << 124, (0x4 << 124) - 1),
    st.one_of([_near(each) for each in EDGES if ":" in each]),
    st.tuples(st.sampled_from(_CARRIERS), V4).map(lambda pair: pair[0] | int(pair[1])),
    V4.map(lambda address: 0x2002 << 112 | int(address) << 80),
).map(IPv6Address)


def _parts(address: IPv4Address) -> list[int]:
    return list(address.packed)


_OTHER_DIGITS = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
_WIDE_DIGITS = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
SPELT: list[Callable[[IPv4Address], str]] = [
    str,
    lambda a: str(int(a)),
    lambda a: hex(int(a)),
    lambda a: f"0{int(a):o}",
    lambda a: ".".join(hex(part) for part in _parts(a)),
    lambda a: ".".join(f"0{part:o}" for part in _parts(a)),
    lambda a: ".".join(f"{part:03}" for part in _parts(a)),
    lambda a: f"{_parts(a)[0]}.{int(a) & 0xFFFFFF}",
    lambda a: f"{_parts(a)[0]}.{_parts(a)[1]}.{int(a) & 0xFFFF}",
    lambda a: f"{a}.",
    lambda a: str(a).translate(_OTHER_DIGITS),
    lambda a: str(a).translate(_WIDE_DIGITS),
    lambda a: str(a).replace(".", "。"),
    lambda a: "".join(f"%{ord(char):02x}" for char in str(a)),
    lambda a: f"[::ffff:{a}]",
    lambda a: f"[64:ff9b::{a}]",
    lambda a: f"{a}.nip.io",
    lambda a: f"{a}%00.example.org",
    lambda a: f"{a}@example.org",
    lambda a: f"example.org@{a}",
    lambda a: f"example.org\\@{a}",
]
NAMES = st.one_of(
    st.sampled_from(["localhost", "a.LocalHost", "metadata", "metadata.google.internal.", "a..b"]),
    st.from_regex(r"[a-zA-Z0-9_ßé.\-]{1,20}", fullmatch=True),
    st.text(max_size=12),
)
_OUTSIDE = ["1.0.0.0/8", "8.8.0.0/16", "93.184.0.0/16", "126.255.0.0/16", "223.255.255.0/24"]
PUBLIC = st.one_of(
    st.one_of([_near(each) for each in _OUTSIDE]).map(IPv4Address).map(str),
    _near("2606:4700::/32").map(IPv6Address).map("[{}]".format),
    st.from_regex(r"[a-zA-Z0-9_ßéж中]{1,10}(-[a-z0-9]{1,5})?(\.[a-z]{2,8}){1,2}", fullmatch=True),
)
INSIDE_OR_ODD = st.one_of(
    st.builds(lambda spell, address: spell(address), st.sampled_from(SPELT), V4),
    V6.map(lambda address: f"[{address}]"),
    V6.map(lambda address: f"[{address.exploded}]"),
    V6.map(lambda address: f"[{address}%25eth0]"),
    NAMES,
)
HOSTS = st.booleans().flatmap(lambda is_public: PUBLIC if is_public else INSIDE_OR_ODD)
SCHEMES = st.sampled_from([*["http", "https", "HTTP", "hTTps"] * 3, "file", "ftp", "", "http:http"])
SLASHES = st.sampled_from([*["://"] * 18, ":/", ":", ":///", ":\\\\", ":/\\", "//"])
PORTS = st.sampled_from(
    [*["", ":80", ":443", ":8080"] * 5, ":0", ":", ":65536", ":80@", ":8a", ":٨٠"]
)
PATHS = st.one_of(
    st.sampled_from(
        [
            "",
            "/",
            "/a.mp4?b=c#d",
            "/a",
            "/%2e%2e/b",
            "?x",
            "?@127.0.0.1",
            "#@127.0.0.1/",
            "\\@127.0.0.1",
        ]
    ),
    st.text(max_size=12).map(lambda text: f"/{text}"),
)
URLS = st.builds(lambda *parts: "".join(parts), SCHEMES, SLASHES, HOSTS, PORTS, PATHS)
PLAIN = st.builds("{}://{}{}".format, st.sampled_from(["http", "HTTPS"]), PUBLIC, PATHS)
ODD = st.sampled_from("@:/\\?#[]%.\t\r\n\0 \u2025\uff0f\uff20\u3002\u00ad\u200b\ud800|,;")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    url = draw(st.one_of(URLS, PLAIN))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(url)))
        taken = draw(st.integers(0, 1))
        url = url[:place] + draw(ODD) + url[place + taken :]
    return url


def accepted(url: str) -> Target | None:
    try:
        return parse(url, PUBLIC_ONLY)
    except Refused:
        return None


def check_meaning(url: str, target: Target) -> None:
    """Everybody who reads ``url`` finds the same host, and it is none of ours."""
    assert url_oracle.host_of(url) in {target.host, _address(target.host)}
    check_target(target)


def check_target(target: Target) -> None:
    assert target.scheme in {"http", "https"}
    assert 0 < target.port < 65536
    address = _address(target.host)
    if address is not None:
        assert url_oracle.is_public(address)
        assert str(address) == target.host
    else:
        assert re.fullmatch(r"[a-z0-9_.-]{1,253}", target.host)
        assert not f".{target.host}".endswith(".localhost")
        assert url_oracle.in_c(target.host) is None
    sent = target.path + target.host_header
    assert re.fullmatch(r"[!-~]+", sent)
    assert target.path.startswith("/")
    _check_readers(target)


def _check_readers(target: Target) -> None:
    """The URL as we would write it is read back as the same, by us and by other libraries."""
    assert parse(target.url, PUBLIC_ONLY) == target
    for read in (urlsplit(target.url).hostname, httpcore.URL(target.url).host.decode().strip("[]")):
        assert read == target.host


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@pytest.mark.timeout(0)
def test_what_is_accepted_has_one_meaning_and_it_is_public() -> None:
    seen: Counter[str] = Counter()

    @QUIET
    @given(st.one_of(URLS, PLAIN, mutated(), st.text(max_size=40)))
    def urls(url: str) -> None:
        seen["urls"] += 1
        if (target := accepted(url)) is not None:
            seen["accepted"] += 1
            check_meaning(url, target)

    effort.repeated(urls)
    print(dict(seen))  # noqa: T201 -- how much was tried
    effort.check_shares(holds=seen["accepted"] > seen["urls"] / 20)


@pytest.mark.timeout(0)
def test_an_address_is_allowed_only_if_it_is_public() -> None:
    seen: Counter[str] = Counter()

    @QUIET
    @given(st.one_of(V4, V6))
    def addresses(address: IPv4Address | IPv6Address) -> None:
        seen["addresses"] += 1
        allowed = is_allowed(str(address), allow_private=False)
        seen["allowed"] += allowed
        assert allowed == url_oracle.is_public(address)
        if is_allowed(str(address), allow_private=True) and not allowed:
            kinds = (address.is_link_local, address.is_multicast, address.is_unspecified)
            assert not any(kinds)

    effort.repeated(addresses)
    print(dict(seen))  # noqa: T201
    effort.check_shares(holds=0 < seen["allowed"] < seen["addresses"])


@pytest.mark.timeout(0)
def test_a_redirect_leads_nowhere_that_a_url_does_not() -> None:
    base = parse("https://example.org/clips/a.mp4", PUBLIC_ONLY)
    seen: Counter[str] = Counter()

    @QUIET
    @given(st.one_of(URLS, mutated(), PATHS, HOSTS.map(lambda host: f"//{host}/"), st.text()))
    def locations(location: str) -> None:
        seen["locations"] += 1
        try:
            joined = urljoin(base.url, location)
        except ValueError:
            return
        if (target := accepted(joined)) is not None:
            seen["accepted"] += 1
            check_target(target)

    effort.repeated(locations)
    print(dict(seen))  # noqa: T201
    effort.check_shares(holds=seen["accepted"] > 0)
