from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from ffapi_site.lib.client_address import address_block, client_address, limited_address

CASES = [
    # who connects, X-Forwarded-For, who it is taken for
    ("198.51.100.7", "", "198.51.100.7"),
    ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # a stranger says so
    ("10.0.0.1", "", "10.0.0.1"),
    ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the client made up the first
    ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),  # two proxies
    ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ("10.0.0.1", "203.0.113.9,", "10.0.0.1"),
    ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
    ("10.0.0.1", "203.0.113.9:5123", "203.0.113.9"),
    ("10.0.0.1", "[2001:DB8::1]:5123", "2001:db8::1"),
    ("10.0.0.1", "2001:db8:0:0::1", "2001:db8::1"),
    ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
    ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("10.0.0.1", "fe80::1%" + "x" * 5000, "fe80::1"),
    ("10.0.0.1", "0x7f000001", "10.0.0.1"),
    ("10.0.0.1", "' OR 1=1 --", "10.0.0.1"),
    ("", "203.0.113.9", ""),
]


@pytest.fixture(autouse=True)
def _proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/30")]


@pytest.mark.parametrize(("peer", "forwarded", "expected"), CASES)
def test_it_works(peer: str, forwarded: str, expected: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)
    assert client_address(request) == expected


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP"])
def test_no_other_header_is_believed(header: str) -> None:
    told = {header: "203.0.113.9"}
    request = RequestFactory().get("/", headers=told, REMOTE_ADDR="10.0.0.1")
    assert client_address(request) == "10.0.0.1"


def test_limits_take_a_subscriber_as_one() -> None:
    blocks = {
        address_block(RequestFactory().get("/", REMOTE_ADDR=f"2001:db8:0:1::{n:x}"))
        for n in range(50)
    }
    assert blocks == {"2001:db8:0:1::"}
    assert address_block(RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::"),
        ("10.0.0.1", ""),  # a proxy: many clients
        ("::ffff:10.0.0.1", ""),
        ("", ""),
    ],
)
def test_connections_count_by_address_but_not_a_proxys(peer: str, expected: str) -> None:
    assert limited_address(peer) == expected
