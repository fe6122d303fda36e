"""The canonical form, the tree and the signatures against the standards' own examples."""

from __future__ import annotations

import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accounts.audit_chain.verifier.canonical import canonical, parsed
from accounts.audit_chain.verifier.digests import merkle_root
from accounts.audit_chain.verifier.ed25519 import is_signature


def test_it_works() -> None:
    told = {"b": [1, True, None], "a": "é\u0007", "ä": {}}
    assert canonical(told) == '{"a":"é\\u0007","b":[1,true,null],"ä":{}}'.encode()


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (333333333.33333329, "333333333.3333333"),
        (1e30, "1e+30"),
        (4.50, "4.5"),
        (2e-3, "0.002"),
        (1e-27, "1e-27"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
    ],
)
def test_numbers_are_written_as_rfc_8785_has_them(number: float, written: str) -> None:
    assert canonical(number) == written.encode()


def test_members_are_sorted_by_utf_16() -> None:
    names = ["\u20ac", "\r", "\uff21", "1", "\U0001f600", "\u0080", "\u00f6"]
    told = canonical(dict.fromkeys(names, 0)).decode()
    wanted = ["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\uff21"]
    assert [part.split('"')[1] for part in told[1:-1].split(",")] == wanted


def test_text_stays_as_it_is() -> None:
    """What Unicode's normal forms are depends on the version of Python."""
    assert canonical("e\u0301") == '"e\u0301"'.encode()


@pytest.mark.parametrize("line", [b'{"a":1,"a":1}', b"NaN", b"-Infinity", b'"\xff"', b"", b"{"])
def test_json_of_two_meanings_is_none(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parsed(line)


def test_nothing_that_json_can_hold_is_too_odd() -> None:
    odds: list[object] = ["\ud800", {"\udfff": 1}, float("inf"), 10**400, [[[]]]]
    for odd in odds:
        assert canonical(odd)


def test_the_tree_is_rfc_6962s() -> None:
    leaves = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]
    hashes = [hashlib.sha256(b"\x00" + leaf).hexdigest() for leaf in leaves]
    # The roots of RFC 6962's reference test data, for trees of 0, 1, 2, 3 and 6 leaves.
    assert [merkle_root(hashes[:size]) for size in (0, 1, 2, 3, 6)] == [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    ]


def test_signatures_are_rfc_8032s() -> None:
    public = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
    signature = (
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    given = bytes.fromhex(public), bytes.fromhex("af82"), bytes.fromhex(signature)
    assert is_signature(*given)
    assert not is_signature(given[0], b"\xaf\x83", given[2])


def test_signatures_agree_with_the_library() -> None:
    dice = random.Random(8032)  # noqa: S311 -- the same ones each time
    for _ in range(20):
        key = Ed25519PrivateKey.from_private_bytes(dice.randbytes(32))
        message = dice.randbytes(dice.randrange(200))
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        assert is_signature(public, message, signature)
        broken = bytearray(signature)
        broken[dice.randrange(64)] ^= 1 << dice.randrange(8)
        assert not is_signature(public, message, bytes(broken))


def test_a_signature_can_t_be_written_another_way() -> None:
    """RFC 8032, 5.1.7: s must be below the order of the group."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signature = key.sign(b"x")
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    again = signature[:32] + s.to_bytes(32, "little")
    assert not is_signature(key.public_key().public_bytes_raw(), b"x", again)
