"""Bodies that are there to break their reader: each gets one clear answer, quickly."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from media_jobs.models import Job
from storage.models import File
from tests.api.sending import code_of
from tests.attacks.test_web import views
from tests.factories import FileFactory, TenantFactory
from tests.harness.api_client import client_of

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024
JSON = "application/json"


@dataclass(frozen=True)
class Body:
    name: str
    content: bytes
    code: str
    status: int = 400
    content_type: str = JSON
    encoding: str = ""

    def __str__(self) -> str:
        return self.name


def within(value: bytes) -> bytes:
    """A good job, but for one value somewhere in it."""
    return (
        b'{"operation": "probe", "params": {"input": "file_x"}, "metadata": {"a": ' + value + b"}}"
    )


def members(*names: str) -> bytes:
    return b"{" + b",".join(f'"{name}": 1'.encode() for name in names) + b"}"


def deep(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + b"1" + closing * depth


SYNTAX = [
    Body("cut in an object", b'{"operation": "probe"', "not_json"),
    Body("cut in a string", b'{"operation": "pro', "not_json"),
    Body("cut in an escape", b'{"operation": "pro\\u00', "not_json"),
    Body("two values", b"{}{}", "not_json"),
    Body("something after it", b"{} x", "not_json"),
    Body("single quotes", b"{'operation': 'probe'}", "not_json"),
    Body("a name without quotes", b'{operation: "probe"}', "not_json"),
    Body("a comma too many", b'{"operation": "probe",}', "not_json"),
    Body("a comment", b'{"operation": "probe" /* x */}', "not_json"),
    Body("a raw newline in text", b'{"operation": "pro\nbe"}', "not_json"),
    Body("an unknown escape", rb'{"operation": "\x41"}', "not_json"),
    Body("a hexadecimal number", within(b"0x10"), "not_json"),
    Body("a leading zero", within(b"010"), "not_json"),
    Body("a plus", within(b"+1"), "not_json"),
    Body("a bare dot", within(b".5"), "not_json"),
    Body("True of Python", within(b"True"), "not_json"),
    Body("a byte order mark", b"\xef\xbb\xbf{}", "not_json"),
    Body("a form", b"operation=probe", "not_json"),
    Body(
        "XML with an entity", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", "not_json"
    ),
    Body("a pickle", b"\x80\x04\x95\x05", "not_utf8"),
]
NUMBERS = [
    Body("NaN", within(b"NaN"), "not_json"),
    Body("Infinity", within(b"Infinity"), "not_json"),
    Body("-Infinity", within(b"-Infinity"), "not_json"),
    Body("NaN in a list of lists", within(b"[[[NaN]]]"), "not_json"),
    Body("a float that becomes infinite", within(b"1e400"), "number_too_large"),
    Body("a million digits of exponent", within(b"1e" + b"9" * 1_000_000), "number_too_large"),
    Body("64 bits and one", within(b"9223372036854775808"), "number_too_large"),
    Body("below 64 bits", within(b"-9223372036854775809"), "number_too_large"),
    Body("5000 digits", within(b"9" * 5000), "number_too_large"),
    Body("a million digits", within(b"9" * 1_000_000), "number_too_large"),
    Body("a million digits after the dot", within(b"0." + b"1" * 1_000_000), "number_too_large"),
    Body("a huge number in a known field", b'{"device": ' + b"9" * 30 + b"}", "number_too_large"),
]
NAMES = [
    Body("a name twice", b'{"operation": "probe", "operation": "transcode"}', "duplicate_key"),
    Body(
        "a name twice, once escaped", rb'{"operation": "a", "oper\u0061tion": "b"}', "duplicate_key"
    ),
    Body("a name twice further in", within(b'{"b": 1, "b": 2}'), "duplicate_key"),
    Body("the last of many", members(*map(str, range(70_000)), "0"), "duplicate_key"),
    Body("many, each twice", members(*map(str, [*range(30_000), *range(30_000)])), "duplicate_key"),
]
TEXT = [
    Body("a lone high surrogate", rb'{"operation": "\ud800"}', "lone_surrogate"),
    Body("a lone low surrogate", rb'{"operation": "\udc00"}', "lone_surrogate"),
    Body("surrogates the wrong way round", rb'{"operation": "\udc00\ud800"}', "lone_surrogate"),
    Body("a lone surrogate in a name", rb'{"\ud800": 1}', "lone_surrogate"),
    Body(
        "one at the end of a long text",
        within(b'"' + b"a" * 900_000 + rb'\udfff"'),
        "lone_surrogate",
    ),
    Body("a surrogate as bytes", b'{"operation": "\xed\xa0\x80"}', "not_utf8"),
    Body("overlong UTF-8", b'{"operation": "\xc0\xaf"}', "not_utf8"),
    Body("past Unicode's end", b'{"operation": "\xf4\x90\x80\x80"}', "not_utf8"),
    Body("Latin-1", '{"operation": "ü"}'.encode("latin-1"), "not_utf8"),
    Body("UTF-16", '{"operation": "ü"}'.encode("utf-16"), "not_utf8"),
    Body("UTF-32", "{}".encode("utf-32"), "not_utf8"),
    Body("NUL", rb'{"operation": "pro\u0000be"}', "nul_character"),
    Body("NUL in a name", rb'{"a\u0000": 1}', "nul_character"),
    Body("NUL in a tag", rb'{"operation": "probe", "tags": ["\u0000"]}', "nul_character"),
]
DEPTH = [
    Body("33 objects", within(deep(b'{"a":', b"}", 33)), "too_deep"),
    Body("33 lists", within(deep(b"[", b"]", 33)), "too_deep"),
    Body("5000 objects", deep(b'{"a":', b"}", 5000), "too_deep"),
    Body("100,000 lists", deep(b"[", b"]", 100_000), "too_deep"),
    Body("a million lists never closed", b"[" * 1_000_000, "too_deep"),
    Body("a million objects never closed", b'{"":' * 250_000, "too_deep"),
]
SIZE = [
    Body("a long text", b'"' + b"x" * MIB + b'"', "too_large", 413),
    Body("spaces", b" " * (2 * MIB) + b"{}", "too_large", 413),
    Body("a long list", b"[" + b"1," * MIB + b"1]", "too_large", 413),
    Body("a long name", b'{"' + b"x" * MIB + b'": 1}', "too_large", 413),
]
SHAPE = [
    Body("nothing", b"", "invalid", 422),
    Body("a list", b"[]", "invalid", 422),
    Body("a number", b"1", "invalid", 422),
    Body("null", b"null", "invalid", 422),
    Body("a million ones", b"[" + b"1," * 500_000 + b"1]", "invalid", 422),
    Body("a list of jobs", b'[{"operation": "probe"}]', "invalid", 422),
    Body("an object for text", b'{"operation": {"$ne": null}}', "invalid", 422),
    Body("a list for text", b'{"operation": ["probe"]}', "invalid", 422),
    Body("a number for text", b'{"operation": 1}', "invalid", 422),
    Body("a boolean for an object", b'{"operation": "probe", "params": true}', "invalid", 422),
    Body("text for a list", b'{"operation": "probe", "tags": "x"}', "invalid", 422),
    Body(
        "a thousand tags",
        b'{"operation": "probe", "tags": ["a"' + b',"a"' * 1000 + b"]}",
        "invalid",
        422,
    ),
    Body("much metadata", within(b'"' + b"x" * 20_000 + b'"'), "invalid", 422),
    Body(
        "fields of the row",
        b'{"operation": "probe", "tenant": "t", "status": "completed"}',
        "invalid",
        422,
    ),
    Body(
        "fields of Python", b'{"operation": "probe", "__class__": {"__init__": 1}}', "invalid", 422
    ),
    Body("50,000 unknown fields", members(*(f"f{n}" for n in range(50_000))), "invalid", 422),
]
TYPES = [
    Body("a form", b"{}", "unsupported_media_type", 415, "application/x-www-form-urlencoded"),
    Body("plain text", b"{}", "unsupported_media_type", 415, "text/plain"),
    Body("XML", b"<a/>", "unsupported_media_type", 415, "application/xml"),
    Body("no type", b"{}", "unsupported_media_type", 415, ""),
    Body("no type at all", b"{}", "unsupported_media_type", 415, "json"),
    Body("a list of types", b"{}", "unsupported_media_type", 415, "text/html, application/json"),
    Body("a suffix", b"{}", "unsupported_media_type", 415, "application/evil+json"),
    Body("UTF-16 by name", b"{}", "charset_not_taken", 415, f"{JSON}; charset=utf-16"),
    Body("UTF-7 by name", b"{}", "charset_not_taken", 415, f"{JSON}; charset=utf-7"),
    Body("a codec of Python", b"{}", "charset_not_taken", 415, f"{JSON}; charset=zlib_codec"),
    Body("a charset that is none", b"{}", "charset_not_taken", 415, f'{JSON}; charset="\\""'),
    Body("gzip", b"\x1f\x8b\x08\x00", "content_encoding_not_taken", 415, encoding="gzip"),
    Body("deflate", b"x\x9c", "content_encoding_not_taken", 415, encoding="deflate"),
    Body("twice gzip", b"\x1f\x8b", "content_encoding_not_taken", 415, encoding="gzip, gzip"),
    Body("an encoding of one's own", b"{}", "content_encoding_not_taken", 415, encoding="x"),
]
HOSTILE = [*SYNTAX, *NUMBERS, *NAMES, *TEXT, *DEPTH, *SIZE, *SHAPE, *TYPES]
ADDRESSES = ("/v1/jobs", "/v1/probe", "/v1/transcode", "/v1/files")


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.RATE_LIMIT_REQUESTS_PER_MINUTE = 1_000_000
    settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = 1_000_000


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return client_of(tenant)


def send(client: Client, method: str, path: str, body: Body) -> Any:
    headers = {"Content-Encoding": body.encoding} if body.encoding else {}
    return client.generic(method, path, body.content, body.content_type, headers=headers)


def test_there_are_many() -> None:
    assert len(HOSTILE) > 80
    assert len({(body.name, body.code) for body in HOSTILE}) == len(HOSTILE)


def of_each_kind(bodies: list[Body]) -> list[Body]:
    """One for each answer that there is."""
    return list({(body.status, body.code): body for body in bodies}.values())


def refusals(client: Client, method: str, path: str, bodies: list[Body]) -> list[Any]:
    """What each gets, by its name."""
    told = []
    for body in bodies:
        began_s = time.process_time()
        answer = send(client, method, path, body)
        assert time.process_time() - began_s < 3, body.name
        assert len(answer.content) < 20_000, body.name
        told.append((body.name, answer.status_code, code_of(answer, answer.status_code)))
    return told


def expected(bodies: list[Body]) -> list[Any]:
    return [(body.name, body.status, body.code) for body in bodies]


def test_a_job_is_refused(client: Client) -> None:
    assert refusals(client, "POST", "/v1/jobs", HOSTILE) == expected(HOSTILE)
    assert not Job.objects.exists()


def test_every_address_reads_as_strictly(client: Client, tenant: Tenant) -> None:
    """All have one reader, which the test above gives every body."""
    file = FileFactory.create(tenant=tenant)
    bodies = of_each_kind([each for each in HOSTILE if each not in SHAPE])
    for path in ADDRESSES:
        assert refusals(client, "POST", path, bodies) == expected(bodies), path
    assert refusals(client, "PATCH", f"/v1/files/{file.pk}", bodies) == expected(bodies)
    assert File.objects.count() == 1
    assert not Job.objects.exists()


def test_no_view_of_the_api_has_another_reader() -> None:
    readers = {
        parser.__name__
        for where, view in views()
        if where.startswith("/v1/")
        for parser in view.cls.parser_classes
    }
    assert readers == {"StrictJSONParser"}


def test_without_a_key_nothing_is_read() -> None:
    statuses = [status for _, status, _ in refusals(Client(), "POST", "/v1/jobs", HOSTILE)]
    assert statuses == [415 if body.encoding else 401 for body in HOSTILE]


@pytest.mark.parametrize("name", ["params", "metadata"])
def test_a_refusal_names_the_place(client: Client, name: str) -> None:
    body = b'{"operation": "probe", "%s": {"a/b": [1, {"~": NaN}]}}' % name.encode()
    answer = client.generic("POST", "/v1/jobs", body, JSON)
    [error] = answer.json()["errors"]
    assert error["pointer"] == f"/{name}/a~1b/1/~0"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"'])
def test_what_is_allowed_is_taken(client: Client, tenant: Tenant, charset: str) -> None:
    file = FileFactory.create(tenant=tenant)
    metadata = {"deep": json.loads(deep(b"[", b"]", 29)), "text": "\U0001f600 ü", "n": 2**63 - 1}
    body = json.dumps({"metadata": metadata}).encode()
    kind = f"{JSON}; charset={charset}"
    answer = client.generic("PATCH", f"/v1/files/{file.pk}", body, kind)
    assert answer.status_code == 200, answer.content
    assert answer.json()["metadata"] == metadata
