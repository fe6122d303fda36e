"""What holds for every address, found by walking them, so that a new one can't be left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Tenant
from accounts.roles import ROLE_SCOPES, SCOPES, Role, allows
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib.ids import new_id
from media_jobs.models import Job
from tests.api.sending import code_of, send
from tests.factories import FileFactory, JobFactory
from tests.harness.api_client import client_of
from tests.savepoint import undone

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HOSTILE_IDS = ("x", "job_", "%00", "..", "%2e%2e", "job_%F0%9F%92%A9", "x" * 5000, "'", "%0d%0a")


def routes(patterns: Any = None, before: str = "") -> Iterator[tuple[str, type[TenantAPIView]]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        where = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern) and where.startswith("v1/"):
            view = getattr(pattern.callback, "view_class", None)
            if view and issubclass(view, TenantAPIView):
                yield f"/{where}", view


ROUTES = dict(routes())
WITH_ID = [route for route in ROUTES if "_id>" in route]


def at(route: str, object_id: str) -> str:
    for name in ("<str:job_id>", "<str:file_id>", "<str:key_id>", "<str:record_id>"):
        route = route.replace(name, object_id)
    return route.replace("<path:name>", "transcode")


def handled(view: type[TenantAPIView]) -> list[str]:
    return [method for method in METHODS if hasattr(view, method.lower())]


def ask(client: Client, method: str, path: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.generic(method, path, b"{}", "application/json", headers=named)


def test_there_are_routes() -> None:
    assert {"/v1/jobs", "/v1/jobs/<str:job_id>/events", "/v1/files", "/v1/tenant"} <= set(ROUTES)
    assert len(ROUTES) > 15


def test_every_method_says_which_scope_it_needs(subtests: pytest.Subtests) -> None:
    for route, view in ROUTES.items():
        with subtests.test(route):
            assert set(handled(view)) == set(view.scopes)
            assert set(view.scopes.values()) <= {*SCOPES, ""}


def test_without_a_key_nothing_answers(subtests: pytest.Subtests) -> None:
    client = Client()
    for route in ROUTES:
        with subtests.test(route), undone():
            for method in METHODS:
                refused = ask(client, method, at(route, new_id("job")))
                assert code_of(refused, 401) == "unauthenticated"


def test_other_methods_are_refused(client: Client, subtests: pytest.Subtests) -> None:
    for route, view in ROUTES.items():
        with subtests.test(route), undone():
            for method in {*METHODS, "OPTIONS", "TRACE"} - set(handled(view)):
                refused = ask(client, method, at(route, new_id("job")))
                assert code_of(refused, 405) == "method_not_allowed"
                assert "GET" in refused["Allow"] or "POST" in refused["Allow"]


@pytest.mark.parametrize("role", Role.values)
def test_a_role_without_the_scope_is_refused(
    role: str, tenant: Tenant, subtests: pytest.Subtests
) -> None:
    client = client_of(tenant, role)
    for route, view in ROUTES.items():
        for method, scope in view.scopes.items():
            if scope and not allows(ROLE_SCOPES[role], scope):
                with subtests.test(f"{method} {route}"), undone():
                    refused = ask(client, method, at(route, new_id("job")))
                    assert code_of(refused, 403) == "forbidden"
                    assert refused.json()["required_scope"] == scope


@pytest.mark.parametrize("route", WITH_ID)
def test_anothers_id_is_as_absent_as_a_random_one(route: str, tenant: Tenant, job: Job) -> None:
    client = client_of(tenant, Role.ADMIN)
    foreign = FileFactory.create().pk if "file_id" in route else JobFactory.create().pk
    random = new_id("file" if "file_id" in route else "job")
    for method in handled(ROUTES[route]):
        told = []
        for object_id in (foreign, random, new_id("key"), *HOSTILE_IDS[:2]):
            answer = ask(client, method, at(route, object_id), X_Request_ID="same")
            headers = {n: v for n, v in answer.headers.items() if n != "RateLimit"}
            told.append((answer.status_code, answer.content, headers))
        assert code_of(answer, 404) == "not_found"
        assert all(each == told[0] for each in told)
    assert Job.objects.filter(pk=job.pk).exists()


@pytest.mark.parametrize("object_id", HOSTILE_IDS)
def test_no_id_is_an_error_of_ours(
    object_id: str, client: Client, subtests: pytest.Subtests
) -> None:
    for route in WITH_ID:
        with subtests.test(route), undone():
            for method in METHODS:
                assert 400 <= ask(client, method, at(route, object_id)).status_code < 500


HOSTILE_HEADERS = [
    {"Accept": "image/png"},
    {"Accept": ";;;,,/"},
    {"Accept": "*/*;q=x"},
    {"Authorization": "Bearer \x00"},
    {"Authorization": "Bearer " + "x" * 9000},
    {"Idempotency_Key": "\x00"},
    {"Idempotency_Key": "x" * 300},
    {"Prefer": "wait=99999999999999"},
    {"Prefer": "wait=-1, wait=\x00"},
    {"Last_Event_ID": "\x00"},
    {"Content_Type": "application/json; charset=utf-16"},
    {"Cookie": "sessionid=\x00"},
    {"Range": "bytes=0-0"},
    {"Host": "nonsense.example"},
    {"Content_Encoding": "gzip"},
    {"Transfer_Encoding": "chunked"},
    {"X_Forwarded_Host": "evil.example"},
]


def test_no_header_is_an_error_of_ours(client: Client, subtests: pytest.Subtests) -> None:
    paths = ("/v1/jobs", "/v1/transcode", "/v1/tenant", f"/v1/jobs/{new_id('job')}/events")
    for headers in HOSTILE_HEADERS:
        with subtests.test(str(headers)[:100]), undone():
            for method, path in product(("GET", "POST"), paths):
                response = ask(client, method, path, **headers)
                assert response.status_code < 500
                if response.status_code >= 400:
                    assert response["Content-Type"] == "application/problem+json"


HOSTILE_BODIES: list[tuple[str, bytes, int]] = [
    ("application/json", b"{", 400),
    ("application/json", b'{"operation": NaN}', 400),
    ("application/json", b'{"operation": "a", "operation": "b"}', 400),
    ("application/json", b'{"a":' * 200 + b"1" + b"}" * 200, 400),
    ("application/json", b"[" * 200_000, 400),
    ("application/json", rb'{"operation": "\ud800"}', 400),
    ("application/json", rb'{"operation": "trans\u0000code"}', 400),
    ("application/json", b'{"params": {"crf": ' + b"9" * 5000 + b"}}", 400),
    ("application/json", b'{"operation": "\xff"}', 400),
    ("application/json", b'"' + b"x" * (1024 * 1024) + b'"', 413),
    ("application/json", b"[]", 422),
    ("application/json", b"null", 422),
    ("application/json", b'"transcode"', 422),
    ("application/json", b"", 422),
    ("text/plain", b"{}", 415),
    ("application/xml", b"<a/>", 415),
    ("multipart/form-data; boundary=x", b"--x--", 415),
    ("application/x-www-form-urlencoded", b"operation=transcode", 415),
    ("nonsense", b"{}", 415),
    ("", b"{}", 415),
]


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/transcode", "/v1/probe"])
def test_a_hostile_body_gets_a_clear_answer(
    path: str, client: Client, subtests: pytest.Subtests
) -> None:
    for content_type, body, status in HOSTILE_BODIES:
        for headers in ({}, {"Idempotency-Key": "k"}):
            with subtests.test(f"{content_type} {body[:40]!r} {headers}"), undone():
                refused = client.generic("POST", path, body, content_type, headers=headers)
                code_of(refused, status)


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v1/nope", "/v1/jobs/", "/v1/jobs/x/y/z", "/v1/%00", "/v1//jobs", "/v1/video"],
)
def test_an_unknown_address_is_a_problem_too(path: str, client: Client) -> None:
    assert code_of(client.get(path), 404) == "not_found"
    assert code_of(send(client, path), 404) == "not_found"


def test_a_file_and_a_job_do_not_stand_for_each_other(client: Client, tenant: Tenant) -> None:
    file, job = FileFactory.create(tenant=tenant), JobFactory.create(tenant=tenant)
    assert client.get(f"/v1/jobs/{file.pk}").status_code == 404
    assert client.get(f"/v1/files/{job.pk}").status_code == 404
