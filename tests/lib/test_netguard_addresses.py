from __future__ import annotations

import pytest

from ffapi_site.lib.netguard import Policy, Refused, check
from ffapi_site.lib.netguard.addresses import is_allowed
from ffapi_site.lib.netguard.urls import parse

PUBLIC_ONLY = Policy()
PRIVATE_TOO = Policy(allow_private=True)

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "00127.0.0.1",
    "127.1",
    "127.0.1",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",  # noqa: RUF001 - full-width, on purpose
    "127。0。0。1",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "0.0.0.0",  # noqa: S104
    "0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "localhost",
    "LOCALHOST",
    "api.localhost",
    "localhost.",
    "metadata.google.internal",
    "[::1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[2606:4700::5efe:7f00:1]",
    "[2606:4700::200:5efe:7f00:1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
]


@pytest.mark.parametrize(
    "host",
    ["example.com", "EXAMPLE.com", "bücher.example", "a_b.example", "93.184.215.14",
     "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]", "172.32.0.1", "100.128.0.1"],
)  # fmt: skip
def test_it_works(host: str) -> None:
    check(f"https://{host}/video.mp4?token=a%2Fb", PUBLIC_ONLY)
    check(f"http://{host}:8080/", PUBLIC_ONLY)


@pytest.mark.parametrize("host", INSIDE)
def test_inside_addresses_are_refused_however_they_are_spelt(host: str) -> None:
    with pytest.raises(Refused) as refused:
        check(f"http://{host}/video.mp4", PUBLIC_ONLY)
    assert refused.value.code in ("url_address_not_allowed", "url_invalid")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "url_scheme_not_allowed"),
        ("ftp://example.com/x", "url_scheme_not_allowed"),
        ("gopher://example.com/x", "url_scheme_not_allowed"),
        ("concat:http://example.com/x", "url_scheme_not_allowed"),
        ("//example.com/x", "url_scheme_not_allowed"),
        ("", "url_scheme_not_allowed"),
        ("http://user@example.com/", "url_has_credentials"),
        ("http://user:secret@example.com/", "url_has_credentials"),
        ("http://example.com@127.0.0.1/", "url_has_credentials"),
        ("http://@example.com/", "url_has_credentials"),
        ("http://example.com/\r\nHost: inside", "url_invalid"),
        ("http://exam\nple.com/", "url_invalid"),
        ("http://example.com/a b", "url_invalid"),
        ("http://example.com/\x00", "url_invalid"),
        ("http://example.com\\@127.0.0.1/", "url_invalid"),
        ("http://example.com/\ud800", "url_invalid"),
        ("http:///path", "url_invalid"),
        ("http:example.com", "url_invalid"),
        ("http://example.com:0/", "url_invalid"),
        ("http://example.com:/", "url_invalid"),
        ("http://example.com:65536/", "url_invalid"),
        ("http://example.com:80a/", "url_invalid"),
        ("http://[::1/", "url_invalid"),
        ("http://[2606:4700::1111]inside/", "url_invalid"),
        ("http://-a.example/", "url_invalid"),
        ("http://a..example/", "url_invalid"),
        ("http://example.com" + "/a" * 3000, "url_invalid"),
    ],
)
def test_malformed_urls_are_refused(url: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check(url, PUBLIC_ONLY)
    assert refused.value.code == code


def test_private_addresses_may_be_allowed_but_never_metadata() -> None:
    for host in ("127.0.0.1", "10.1.2.3", "[fc00::1]", "localhost", "[::ffff:192.168.0.1]"):
        check(f"http://{host}/", PRIVATE_TOO)
    for host in ("169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "0.0.0.0", "224.0.0.1"):  # noqa: S104
        with pytest.raises(Refused):
            check(f"http://{host}/", PRIVATE_TOO)


def test_the_allowlist_names_host_and_port_exactly() -> None:
    policy = Policy(allowlist=frozenset({"127.0.0.1:8000", "[::1]:8000"}))
    check("http://127.0.0.1:8000/x", policy)
    check("http://[::1]:8000/x", policy)
    for host in ("127.0.0.1:8001", "127.0.0.1", "127.0.0.2:8000", "localhost:8000"):
        with pytest.raises(Refused, match="url_address_not_allowed"):
            check(f"http://{host}/x", policy)


def test_what_is_no_address_is_not_allowed() -> None:
    assert not is_allowed("fe80::1%eth0", allow_private=True)
    assert not is_allowed("nonsense", allow_private=True)


def test_a_url_is_read_one_way() -> None:
    target = parse("HTTPS://Bücher.Example/pläne/a%20b?q=ä&s=%2B#part", PUBLIC_ONLY)

    assert target.url == "https://xn--bcher-kva.example/pl%C3%A4ne/a%20b?q=%C3%A4&s=%2B"
    assert target.authority == "xn--bcher-kva.example:443"
    assert target.host_header == "xn--bcher-kva.example"
    assert parse("http://[2606:4700::1111]:81", PUBLIC_ONLY).url == "http://[2606:4700::1111]:81/"
