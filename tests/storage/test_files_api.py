from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from ffapi_site.lib import bodies
from ffapi_site.lib.ids import new_id
from storage import hooks
from storage.models import File
from tests.factories import FileFactory, TenantFactory
from tests.harness.api_client import client_of
from tests.storage.test_store import all_of_them

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return client_of(tenant)


@pytest.fixture
def file(tenant: Tenant) -> File:
    return FileFactory.create(tenant=tenant)


def names(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/v1/files{query}")
    assert response.status_code == 200, response.content
    return [each["name"] for each in response.json()["results"]]


def change(client: Client, file_id: str, **changes: Any) -> Any:
    return client.patch(f"/v1/files/{file_id}", changes, content_type="application/json")


def test_it_works(client: Client, file: File) -> None:
    body = client.get(f"/v1/files/{file.pk}").json()
    assert client.get("/v1/files").json()["results"][0] | {"download_url": ""} == body | {
        "download_url": ""
    }
    assert client.delete(f"/v1/files/{file.pk}").status_code == 204
    assert client.get(f"/v1/files/{file.pk}").status_code == 404
    assert names(client) == []


def test_pages_go_forth_and_back(client: Client, tenant: Tenant) -> None:
    for number in range(5):
        FileFactory.create(tenant=tenant, name=f"{number}.mp4")
    first = client.get("/v1/files?limit=2").json()
    assert [each["name"] for each in first["results"]] == ["4.mp4", "3.mp4"]
    second = client.get(first["next"]).json()
    assert [each["name"] for each in second["results"]] == ["2.mp4", "1.mp4"]
    assert client.get(second["previous"]).json()["results"][0]["name"] == "4.mp4"
    assert names(client, "?ordering=name&limit=2") == ["0.mp4", "1.mp4"]
    assert names(client, "?ordering=-size_bytes&limit=1") != []


def test_filters(client: Client, tenant: Tenant) -> None:
    now = timezone.now()
    old = FileFactory.create(tenant=tenant, name="old Holiday.mov", tags=["a", "b"])
    File.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=2))
    FileFactory.create(tenant=tenant, name="new.mp4", tags=["b"])
    FileFactory.create(tenant=tenant, name="50%_sure.mp3")

    yesterday = quote((now - timedelta(days=1)).isoformat())
    assert names(client, "?tag=a") == ["old Holiday.mov"]
    assert names(client, "?tag=b") == ["new.mp4", "old Holiday.mov"]
    assert names(client, f"?created_before={yesterday}") == ["old Holiday.mov"]
    assert names(client, f"?created_after={yesterday}&tag=b") == ["new.mp4"]
    assert names(client, "?search=holiday") == ["old Holiday.mov"]
    assert names(client, "?search=%25") == ["50%_sure.mp3"]
    assert names(client, f"?search={old.pk}") == ["old Holiday.mov"]
    assert names(client, "?format=mp4") == ["new.mp4"]
    assert names(client, "?format=audio") == ["50%_sure.mp3"]
    assert names(client, "?format=video/quicktime") == ["old Holiday.mov"]
    assert names(client, "?format=xyz") == []


@pytest.mark.parametrize(
    "query", ["?colour=red", "?created_after=soon", "?limit=0", "?ordering=sha256", "?tag=a&tag=b"]
)
def test_a_wrong_filter_is_named(client: Client, query: str) -> None:
    response = client.get(f"/v1/files{query}")
    assert response.status_code == 422
    name = query[1:].split("=", maxsplit=1)[0]
    assert response.json()["errors"][0]["pointer"] == f"?{name}"


def test_changes(client: Client, file: File) -> None:
    body = change(client, file.pk, name="b/neu.mp4", tags=["x"], metadata={"a": [1, None]}).json()
    assert (body["name"], body["tags"], body["metadata"]) == ("neu.mp4", ["x"], {"a": [1, None]})
    body = change(client, file.pk, tags=[]).json()
    assert (body["name"], body["tags"], body["metadata"]) == ("neu.mp4", [], {"a": [1, None]})


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": "x.exe"}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": None}, "/name"),
        ({"tags": "x"}, "/tags"),
        ({"tags": ["x"] * 33}, "/tags"),
        ({"metadata": []}, "/metadata"),
        ({"metadata": {"a": "x" * 17_000}}, "/metadata"),
        ({"sha256": "0"}, "/sha256"),
        ({"tenant": "t"}, "/tenant"),
    ],
)
def test_a_wrong_change_is_named(
    client: Client, file: File, changes: dict[str, Any], pointer: str
) -> None:
    response = change(client, file.pk, **changes)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_a_file_that_goes_while_it_is_changed_is_absent(
    client: Client, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = bodies.read

    def late(*given: Any) -> Any:
        File.objects.all().delete()
        return read(*given)

    monkeypatch.setattr(bodies, "read", late)
    assert change(client, file.pk, name="b.mp4").status_code == 404


def test_what_a_job_reads_stays(
    client: Client, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "in_use", all_of_them)
    response = client.delete(f"/v1/files/{file.pk}")
    assert (response.status_code, response.json()["code"]) == (409, "file_in_use")
    assert names(client) == [file.name]


def test_what_is_not_published_is_not_there(client: Client, file: File) -> None:
    File.objects.update(published_at=None)
    assert client.get(f"/v1/files/{file.pk}").status_code == 404
    assert client.get(f"/v1/files/{file.pk}/content").status_code == 404
    assert names(client) == []


@pytest.mark.parametrize("end", ["", "/content"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE"])
def test_another_tenants_file_is_as_absent_as_any(file: File, method: str, end: str) -> None:
    stranger = client_of(TenantFactory.create(), Role.ADMIN)
    answers = []
    for file_id in (file.pk, new_id("file"), "nonsense", new_id("job"), "file_" + "\u00e9" * 26):
        at = f"/v1/files/{file_id}{end}"
        response = stranger.generic(method, at, content_type="application/json")
        request_id = response["X-Request-ID"].encode()
        answers.append((response.status_code, response.content.replace(request_id, b"")))
    assert set(answers) == {answers[0]}
    assert answers[0][0] == (405 if end and method in {"PATCH", "DELETE"} else 404)
    assert File.objects.published().get() == file


@pytest.mark.parametrize(
    ("method", "end", "scope"),
    [
        ("get", "", "files:read"),
        ("get", "/content", "files:read"),
        ("head", "/content", "files:read"),
        ("patch", "", "files:create"),
        ("delete", "", "files:delete"),
    ],
)
def test_without_the_scope(tenant: Tenant, file: File, method: str, end: str, scope: str) -> None:
    others = {"files:read", "files:create", "files:delete", "jobs:read"} - {scope}
    poor = client_of(tenant, scopes=sorted(others))
    response = getattr(poor, method)(f"/v1/files/{file.pk}{end}")
    assert response.status_code == 403
    if method != "head":
        assert response.json()["required_scope"] == scope


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (Role.VIEWER, (200, 403, 403)),
        (Role.WEBHOOK_ONLY, (403, 403, 403)),
        (Role.OPERATOR, (200, 200, 204)),
    ],
)
def test_roles(tenant: Tenant, file: File, role: str, statuses: tuple[int, int, int]) -> None:
    client = client_of(tenant, role)
    at = f"/v1/files/{file.pk}"
    answers = (client.get(at), change(client, file.pk, tags=["x"]), client.delete(at))
    assert tuple(answer.status_code for answer in answers) == statuses
