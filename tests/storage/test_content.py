from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.lib.ids import new_id
from ffapi_site.lib.signing import sign_link
from storage.models import File
from tests.factories import FileFactory, TenantFactory
from tests.harness.api_client import client_of

pytestmark = pytest.mark.django_db
BYTES = bytes(range(256)) * 4096  # 1 MiB: more than one chunk


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return client_of(tenant)


@pytest.fixture
def file(tenant: Tenant) -> File:
    return FileFactory.create(tenant=tenant, content=BYTES, name="Fähre 1.mp4")


def get(client: Client, file: File, query: str = "", **headers: str) -> Any:
    return fetch(client, f"/v1/files/{file.pk}/content{query}", **headers)


def fetch(client: Client, at: str, **headers: str) -> Any:
    """Read to the end: until then a response holds its file open. The bytes are in ``.read``."""
    response = client.get(at, headers=headers)
    vars(response)["read"] = response.getvalue()
    return response


def test_it_works(client: Client, file: File) -> None:
    response = get(client, file)
    assert response.status_code == 200
    assert response.read == BYTES
    assert response["Content-Length"] == str(len(BYTES))
    assert response["Content-Type"] == "video/mp4"
    assert response["ETag"] == f'"{file.sha256}"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''F%C3%A4hre%201.mp4"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-299999", 100, 300_000),
        ("bytes=1048000-", 1_048_000, None),
        ("bytes=1048000-99999999999", 1_048_000, None),
        ("bytes=-7", -7, None),
        ("bytes=-99999999", 0, None),
        ("BYTES=5-9", 5, 10),
    ],
)
def test_a_range(client: Client, file: File, asked: str, start: int, end: int | None) -> None:
    response = get(client, file, Range=asked)
    expected = BYTES[start:end]
    first = start % len(BYTES)
    assert response.status_code == 206
    assert response.read == expected
    assert response["Content-Length"] == str(len(expected))
    assert response["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(BYTES)}"


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=-", "lines=0-1", "bytes=0-1,5-6", "bytes=a-b", "bytes=0x1-2"]
)
def test_what_is_not_one_range_is_the_whole(client: Client, file: File, asked: str) -> None:
    response = get(client, file, Range=asked)
    assert (response.status_code, len(response.read)) == (200, len(BYTES))
    assert "Content-Range" not in response


@pytest.mark.parametrize("asked", [f"bytes={len(BYTES)}-", "bytes=-0", "bytes=99999999-99999999"])
def test_a_range_behind_the_end(client: Client, file: File, asked: str) -> None:
    response = get(client, file, Range=asked)
    assert (response.status_code, response.json()["code"]) == (416, "range_not_satisfiable")
    assert response["Content-Range"] == f"bytes */{len(BYTES)}"


def test_a_range_of_what_has_changed_is_the_whole(client: Client, file: File) -> None:
    part = {"Range": "bytes=0-9"}
    assert get(client, file, **part, **{"If-Range": f'"{file.sha256}"'}).status_code == 206
    for other in ('"0"', f'W/"{file.sha256}"', "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert get(client, file, **part, **{"If-Range": other}).status_code == 200


@pytest.mark.parametrize("known", ['"{}"', 'W/"{}"', '"0", "{}"', "*"])
def test_a_copy_that_is_still_good(client: Client, file: File, known: str) -> None:
    response = get(client, file, **{"If-None-Match": known.format(file.sha256)})
    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == f'"{file.sha256}"'


def test_head(client: Client, file: File) -> None:
    response = client.head(f"/v1/files/{file.pk}/content", headers={"Range": "bytes=0-1"})
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(len(BYTES))


def test_shown_in_place(client: Client, tenant: Tenant, file: File) -> None:
    response = get(client, file, "?disposition=inline")
    assert response["Content-Disposition"].startswith("inline; filename*=")
    text = FileFactory.create(tenant=tenant, name="a.srt", content=b"hello")
    assert get(client, text).status_code == 200
    assert get(client, text, "?disposition=inline").status_code == 422
    assert get(client, file, "?disposition=window").status_code == 422


def test_a_link_needs_no_key(client: Client, file: File, settings: Settings) -> None:
    link = client.get(f"/v1/files/{file.pk}").json()["download_url"]
    assert link.startswith(f"{settings.PUBLIC_BASE_URL}/v1/files/{file.pk}/content?token=")
    token = parse_qs(urlsplit(link).query)["token"][0]
    at = link.removeprefix(settings.PUBLIC_BASE_URL)
    assert fetch(Client(), at).read == BYTES
    assert fetch(Client(), f"{at}&disposition=inline").status_code == 200

    other = FileFactory.create()
    assert refusal(other.pk, token) == refusal(new_id("file"), token) == refusal("nonsense", token)
    assert refusal(file.pk, token[:-1]) == (403, "link_not_valid")
    assert refusal(file.pk, "") == (403, "link_not_valid")
    assert refusal(file.pk, sign_link(file.pk, lifetime_s=-1)) == (403, "link_not_valid")
    assert Client().get(f"/v1/files/{file.pk}/content").status_code == 401
    client.delete(f"/v1/files/{file.pk}")
    assert Client().get(at).status_code == 404


def test_a_link_ends_with_its_tenant(file: File, tenant: Tenant) -> None:
    other = FileFactory.create(tenant=TenantFactory.create())
    links = {each: sign_link(each.pk, lifetime_s=60) for each in (file, other)}

    def status(of: File) -> int:
        at = f"/v1/files/{of.pk}/content"
        return Client().head(at, query_params={"token": links[of]}).status_code

    assert (status(file), status(other)) == (200, 200)
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    assert (status(file), status(other)) == (403, 200)
    assert refusal(file.pk, links[file]) == (403, "link_not_valid")


def refusal(file_id: str, token: str) -> tuple[int, str]:
    response = Client().get(f"/v1/files/{file_id}/content", {"token": token})
    return response.status_code, response.json()["code"]


def test_bytes_that_are_gone(client: Client, file: File, media_root: Any) -> None:
    (media_root / file.storage_key).unlink()
    assert get(client, file).status_code == 404
