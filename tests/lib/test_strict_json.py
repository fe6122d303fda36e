from __future__ import annotations

import json
from typing import Any

import pytest

from ffapi_site.lib.problems import Invalid
from ffapi_site.lib.strict_json import MAX_DEPTH, NotJson, loads

HOSTILE = {
    "a key twice": (b'{"a": {"b": 1, "b": 2}}', "duplicate_key", "/a"),
    "NaN": (b'{"a": [1, NaN]}', "not_json", "/a/1"),
    "Infinity": (b'{"a": -Infinity}', "not_json", "/a"),
    "a number that becomes infinite": (b'{"a": 1e999}', "number_too_large", "/a"),
    "an integer of 21 digits": (b'{"a": 123456789012345678901}', "number_too_large", "/a"),
    "an integer of 100,000 digits": (b'{"a": ' + b"9" * 100_000 + b"}", "number_too_large", "/a"),
    "the first integer past 64 bits": (b'{"a": 9223372036854775808}', "number_too_large", "/a"),
    "a lone surrogate": (rb'{"a": "\ud800"}', "lone_surrogate", "/a"),
    "a lone surrogate in a key": (rb'{"\udfff": 1}', "lone_surrogate", "/?"),
    "NUL": (rb'{"a": "x\u0000y"}', "nul_character", "/a"),
    "NUL in a key": (rb'{"a\u0000": 1}', "nul_character", "/a?"),
}


@pytest.mark.parametrize("text", [b"{}", b'{"a": [1, 2.5, "x", null, true]}', rb'"\ud83d\ude00"'])
def test_it_works(text: bytes) -> None:
    assert loads(text) == json.loads(text)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_readers_disagree_about_is_refused_with_its_place(name: str) -> None:
    text, code, pointer = HOSTILE[name]
    with pytest.raises(NotJson) as refused:
        loads(text)
    assert refused.value.code == code
    assert [error.pointer for error in refused.value.errors] == [pointer]


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_depth_is_bounded() -> None:
    assert loads(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 900, 100_000):
        with pytest.raises(NotJson) as refused:
            loads(nested(depth))
        assert refused.value.code == "too_deep"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"{'a': 1}", "not_json"),
        (b'{"a": 1} x', "not_json"),
        (b'{"a": 01}', "not_json"),
        (b'\xef\xbb\xbf{"a": 1}', "not_json"),
        (b'{"a": "\xff"}', "not_utf8"),
        ('{"a": "ä"}'.encode("utf-16"), "not_utf8"),
        (b'{"a": "\xed\xa0\x80"}', "not_utf8"),
    ],
)
def test_what_is_not_json_is_refused(text: bytes, code: str) -> None:
    with pytest.raises(NotJson) as refused:
        loads(text)
    assert refused.value.code == code


def test_the_place_of_a_key_with_slashes_is_escaped() -> None:
    body: Any = rb'{"a/b~c": NaN}'
    with pytest.raises(NotJson) as refused:
        loads(body)
    assert refused.value.errors[0].pointer == "/a~1b~0c"


def test_there_are_bounds_for_fields_and_values() -> None:
    many = {"all": [{f"f{n}": n for n in range(100)} for _ in range(199)]}
    assert loads(json.dumps(many).encode()) == many
    for body in (
        json.dumps({f"f{n}": 1 for n in range(20_001)}),
        json.dumps({"all": [{f"f{n}": n for n in range(101)} for _ in range(200)]}),
        json.dumps([1] * 100_002),
    ):
        with pytest.raises(Invalid, match="more than"):
            loads(body.encode())
