"""What every answer says about how it may be used, found by walking all addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts.models import Tenant
from tests.factories import FileFactory, TenantFactory, UserFactory
from tests.harness.api_client import client_of, key_of
from tests.harness.signing_in import sign_in
from tests.savepoint import undone

pytestmark = pytest.mark.django_db
MEDIA = "media.example.org"


def addresses(patterns: Any = None, before: str = "/") -> Iterator[str]:
    """Every address of the site, with something in the place of what varies."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        where = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern):
            yield _filled(where)


def _filled(where: str) -> str:
    plain = where.replace("^", "").replace("$", "").replace("\\Z", "")
    return re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>", "1", plain)


ADDRESSES = sorted(set(addresses()))


def test_there_are_addresses() -> None:
    assert {"/", "/login", "/v1/jobs", "/admin/", "/docs/", "/metrics"} <= set(ADDRESSES)
    assert len(ADDRESSES) > 60


def policy(response: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in response["Content-Security-Policy"].split(";"))
    return {part[0]: part[1:] for part in parts if part}


def check(response: Any) -> None:
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    assert response["X-Request-ID"]
    for name in ("Server", "X-Powered-By", "Access-Control-Allow-Origin"):
        assert not response.has_header(name)
    rules = policy(response)
    assert rules["default-src"] == ["'self'"]
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["form-action"] == ["'self'"]
    assert "'unsafe-inline'" not in rules.get("script-src", [])
    assert not [each for rule in rules.values() for each in rule if "*" in each or each == "http:"]


def test_it_works(subtests: pytest.Subtests) -> None:
    """Each address, to a stranger and to who may see it; only the admin's theme is looser.

    It computes with expressions and writes its palette.
    """
    anyone, staff = Client(), Client()
    sign_in(staff, UserFactory.create(is_staff=True, is_superuser=True))
    looser = set()
    for address in ADDRESSES:
        with subtests.test(address):
            for client in (anyone, staff):
                with undone(client):
                    response: Any = client.get(address)
                assert response.status_code != 500, response.content
                check(response)
                if "unsafe" in response["Content-Security-Policy"]:
                    looser.add(address.split("/")[1])
    assert looser == {"admin"}


@pytest.mark.parametrize("address", ["/nothing", "/v1/nothing", "/admin/nothing", "/static/no.js"])
def test_what_is_absent_says_it_too(address: str) -> None:
    response = Client().get(address)
    assert response.status_code in {302, 404}
    check(response)


def test_an_error_of_ours_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ffapi_site.observability.health.look_at_all", broken)
    response: Any = Client(raise_request_exception=False).get("/health/ready")
    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert b"ZeroDivision" not in response.content
    check(response)


def test_without_https_nothing_promises_it() -> None:
    response = Client().get("/login")
    assert not response.has_header("Strict-Transport-Security")


def test_with_https_browsers_are_told_to_stay(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    response = Client().get("/login", secure=True)
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_cookies_are_for_the_site_alone() -> None:
    response = Client().get("/login")
    assert response.cookies["csrftoken"]["samesite"] == "Lax"
    assert site_settings.SESSION_COOKIE_HTTPONLY
    assert site_settings.SESSION_COOKIE_SAMESITE == "Lax"


def test_the_browser_s_own_request_for_an_icon_is_answered() -> None:
    response = Client().get("/favicon.ico")
    assert response.status_code == 302
    assert response["Location"].startswith("/static/img/mark")


class TestMedia:
    """What users send comes back as theirs, not as ours."""

    @pytest.fixture
    def tenant(self) -> Tenant:
        return TenantFactory.create()

    @pytest.fixture
    def link(self, tenant: Tenant) -> str:
        file = FileFactory.create(tenant=tenant, name="a.mp4", content_type="video/mp4")
        told = client_of(tenant).get(f"/v1/files/{file.pk}").json()["download_url"]
        return str(told)

    @pytest.fixture
    def _other_host(self, settings: Settings) -> None:
        settings.MEDIA_ORIGIN = f"https://{MEDIA}"
        settings.ALLOWED_HOSTS = ["testserver", MEDIA]

    def get(self, client: Client, path: str) -> Any:
        response: Any = client.get(path)
        b"".join(response)  # to the end, which closes the file
        return response

    def path(self, link: str) -> str:
        return "/" + link.split("/", 3)[3]

    def test_it_works(self, link: str) -> None:
        response = self.get(Client(), self.path(link))
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"

    def test_shown_in_place_it_is_as_caged(self, link: str) -> None:
        response = self.get(Client(), self.path(link) + "&disposition=inline")
        assert response["Content-Disposition"].startswith("inline")
        assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")

    @pytest.mark.parametrize("name", ["a.srt", "a.vtt", "a.json", "a.ttf"])
    def test_only_media_are_shown_in_place(self, tenant: Tenant, name: str) -> None:
        file = FileFactory.create(tenant=tenant, name=name, content_type="text/plain")
        path = f"/v1/files/{file.pk}/content?disposition=inline"
        assert self.get(client_of(tenant), path).status_code == 422

    @pytest.mark.usefixtures("_other_host")
    def test_links_lead_to_the_host_of_media(self, link: str) -> None:
        assert link.startswith(f"https://{MEDIA}/v1/files/file_")
        response = self.get(Client(headers={"Host": MEDIA}), self.path(link))
        assert response.status_code == 200
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert not response.cookies

    @pytest.mark.usefixtures("_other_host")
    def test_the_main_host_sends_links_there(self, link: str) -> None:
        response = self.get(Client(), self.path(link))
        assert (response.status_code, response["Location"]) == (307, link)

    @pytest.mark.usefixtures("_other_host")
    def test_a_key_is_served_by_the_main_host(self, tenant: Tenant, link: str) -> None:
        path = self.path(link).partition("?")[0]
        assert self.get(client_of(tenant), path).status_code == 200

    @pytest.mark.usefixtures("_other_host")
    def test_the_host_of_media_has_nothing_else(
        self, tenant: Tenant, subtests: pytest.Subtests
    ) -> None:
        headers = {"Host": MEDIA, "Authorization": f"Bearer {key_of(tenant)}"}
        client = Client(headers=headers)
        sign_in(client, UserFactory.create(is_staff=True, is_superuser=True))
        for address in (*ADDRESSES, "/static/css/base.css", "/favicon.ico"):
            with subtests.test(address):
                for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                    response: Any = client.generic(method, address, b"{}", "application/json")
                    assert response.status_code == 404, method
                    assert not response.cookies, method
