"""What a browser can be made to send: forged forms, cookies, hosts, redirects, passwords."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts.models import ApiKey, Tenant, User
from accounts.roles import Role
from media_jobs.models import Job
from storage.models import File
from tests.api.sending import code_of
from tests.factories import (
    PASSWORD,
    ApiKeyFactory,
    FileFactory,
    JobFactory,
    MembershipFactory,
    TenantFactory,
    UserFactory,
)
from tests.harness.api_client import client_of, key_of
from tests.harness.signing_in import sign_in
from tests.site.test_headers import ADDRESSES

pytestmark = pytest.mark.django_db
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
FORMS = {
    "a form": ("application/x-www-form-urlencoded", b"a=b"),
    "a form with parts": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--b--\r\n',
    ),
    "a form with a file": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nb\r\n--b--\r\n',
    ),
    "plain text": ("text/plain", b'{"operation": "probe"}'),
    "JSON": ("application/json", b"{}"),
    "nothing": ("", b""),
}
# A page, a form, one about a row, the admin's list and form, and the API.
OF_EACH_KIND = (
    *("/", "/tenant", "/keys", "/logout", "/jobs/1/cancel"),
    *("/admin/accounts/user/", "/admin/media_jobs/job/1/change/", "/v1/jobs", "/v1/files/1"),
)


@pytest.fixture
def root() -> User:
    """Staff, and an admin of a tenant: whoever may do everything."""
    user: User = UserFactory.create(username="root", is_staff=True, is_superuser=True)
    MembershipFactory.create(user=user, role=Role.ADMIN)
    return user


@pytest.fixture
def browser(root: User) -> Client:
    """A signed-in browser that checks forms as a real request is checked."""
    client = Client(enforce_csrf_checks=True)
    sign_in(client, root)
    return client


def views(patterns: Any = None, before: str = "/") -> Iterator[tuple[str, Any]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        where = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern):
            yield where, pattern.callback


class TestForgedForms:
    """Another site makes a signed-in browser send something; it can't read our token."""

    @pytest.fixture
    def everything(self) -> dict[Any, list[Any]]:
        FileFactory.create()
        JobFactory.create()
        ApiKeyFactory.create()
        return self.rows()

    def rows(self) -> dict[Any, list[Any]]:
        kinds: list[Any] = [User, Tenant, ApiKey, Job, File]
        return {kind: list(kind.objects.order_by("pk").values()) for kind in kinds}

    def test_no_address_takes_them(self, browser: Client, everything: dict[Any, list[Any]]) -> None:
        """Each in some way, and those of each kind in all: one place refuses for all views."""
        forms = [*FORMS]
        asked = [(address, "POST", forms[n % 6]) for n, address in enumerate(ADDRESSES)]
        asked += [(address, UNSAFE[1 + n % 3], forms[n % 5]) for n, address in enumerate(ADDRESSES)]
        asked += product(OF_EACH_KIND, UNSAFE, forms)
        taken = []
        for address, method, form in asked:
            kind, body = FORMS[form]
            status = browser.generic(method, address, body, kind).status_code
            if status not in {400, 401, 403, 404, 405}:
                taken.append((status, method, address, form))
        assert taken == []
        assert self.rows() == everything

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil"])
    def test_a_right_token_from_another_site_does_not_help(
        self, browser: Client, origin: str
    ) -> None:
        browser.get("/")
        token = browser.cookies["csrftoken"].value
        form = {"csrfmiddlewaretoken": token}
        answer = browser.post("/logout", form, headers={"Origin": origin})
        assert answer.status_code == 403
        assert browser.post("/logout", form).status_code == 302  # so it was the origin

    def test_a_token_of_another_browser_does_not_help(self, browser: Client) -> None:
        other = Client()
        other.get("/login")
        form = {"csrfmiddlewaretoken": other.cookies["csrftoken"].value}
        assert browser.post("/logout", form).status_code == 403

    def test_only_views_that_read_no_cookie_are_exempt(self) -> None:
        exempt = [
            (address, view) for address, view in views() if getattr(view, "csrf_exempt", False)
        ]
        assert len(exempt) > 15
        for address, view in exempt:
            known = {each.__name__ for each in view.cls.authentication_classes}
            assert known <= {"ApiKeyAuthentication"}, address

    def test_nothing_changes_by_a_get(self, browser: Client, everything: object) -> None:
        for address in ADDRESSES:
            browser.get(address)
        assert self.rows() == everything

    def test_another_method_by_a_header_is_no_other_method(self, browser: Client) -> None:
        headers = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST"}
        assert browser.get("/logout?_method=POST", headers=headers).status_code == 405


class TestCookies:
    """The API knows keys only."""

    def test_a_session_is_nobody(self, root: User, settings: Settings) -> None:
        settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = 1_000_000
        client = Client()
        sign_in(client, root)
        client.get("/")
        token = {"X-CSRFToken": client.cookies["csrftoken"].value}
        api = [each for each in ADDRESSES if each.startswith("/v1/")]
        taken = []
        for address, method in product(api, ("GET", *UNSAFE)):
            answer = client.generic(method, address, b"{}", "application/json", headers=token)
            is_refused = answer.status_code == 401 or address == "/v1/openapi.json"
            if not is_refused or answer.cookies:
                taken.append((answer.status_code, method, address))
        assert len(api) > 20
        assert taken == []

    def test_a_key_in_a_cookie_is_none(self) -> None:
        key = key_of(TenantFactory.create())
        client = Client()
        for name in ("Authorization", "X-API-Key", "api_key", "key", "token"):
            client.cookies[name] = key
        assert code_of(client.get("/v1/jobs"), 401) == "unauthenticated"

    def test_a_key_in_the_address_is_none(self) -> None:
        key = key_of(TenantFactory.create())
        for name in ("api_key", "key", "access_token", "token", "X-API-Key"):
            code_of(Client().get("/v1/jobs", {name: key}), 401)

    def test_a_session_changes_nothing_for_a_key(self, root: User) -> None:
        tenant = TenantFactory.create()
        client = client_of(tenant)
        sign_in(client, root)
        assert client.get("/v1/tenant").json()["id"] == tenant.pk

    def test_other_sites_scripts_may_not_read_it(self) -> None:
        client = client_of(TenantFactory.create())
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        for answer in (
            client.get("/v1/tenant", headers=headers),
            client.options("/v1/jobs", headers=headers),
        ):
            assert not [name for name in answer.headers if name.startswith("Access-Control")]


class TestRedirects:
    ELSEWHERE = (
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "https://evil.example",
        "http:evil.example",
        "https:/evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\r\n/evil.example",
        " //evil.example",
        "\x00//evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "//testserver@evil.example",
        "http://testserver.evil.example",
        "http://testserver:80@evil.example/",
        "//evil.example/%2f..",
        "/%0d%0aSet-Cookie:x=y",
        "//\uff0565vil.example",
    )

    @pytest.mark.parametrize("form", ["/login", "/admin/login/"])
    def test_signing_in_stays_here(self, root: User, form: str) -> None:
        given = {"username": "root", "password": PASSWORD}
        led_away = []
        for n, to in enumerate(self.ELSEWHERE):
            client = Client(REMOTE_ADDR=f"192.0.2.{n}")  # one address may try so often
            by_form = client.post(form, given | {"next": to})
            client.logout()
            by_address = client.post(f"{form}?next={quote(to)}", given)
            for answer in (by_form, by_address):
                is_refused = answer.status_code == 400 and "\x00" in to
                where = answer.headers.get("Location", "")
                if not is_refused and (answer.status_code != 302 or not _stays_here(where)):
                    led_away.append((to, answer.status_code, where))
        assert led_away == []

    def test_other_forms_stay_here(self, root: User) -> None:
        led_away = []
        client = Client()
        for to, address in product(self.ELSEWHERE, ("/tenant", "/logout")):
            if address == "/tenant":
                sign_in(client, root)
            answer = client.post(address, {"next": to, "tenant": to})
            where = answer.headers.get("Location", "/")  # or a form that says what was wrong
            if not _stays_here(where):
                led_away.append((to, address, where))
        assert led_away == []

    @pytest.mark.parametrize(
        "path", ["//evil.example", "//evil.example/..", "/\\evil.example", "/%2fevil.example//"]
    )
    def test_a_path_is_no_host(self, path: str) -> None:
        answer = Client().get("/", PATH_INFO=path)
        assert answer.status_code == 404
        assert not answer.has_header("Location")


def _stays_here(where: str) -> bool:
    """Whether it is a path on this site, as any browser reads it."""
    is_path = where.startswith("/") and not where.startswith(("//", "/\\", "/\t"))
    return is_path and not set(where) & {"\r", "\n"}


class TestHosts:
    WRONG = (
        "evil.example",
        "testserver.evil.example",
        "evil.testserver",
        "testserver:80:80",
        "testserver/evil",
        "testserver@evil.example",
        "localhost\tx",
        "<script>alert(1)</script>",
        "..",
        "[::1",
        "",
        "x" * 5000,
    )

    @pytest.mark.parametrize("address", ["/", "/login", "/v1/jobs", "/admin/", "/static/x.css"])
    def test_a_strange_one_is_refused(self, address: str) -> None:
        for host in self.WRONG:
            answer = Client().get(address, headers={"Host": host})
            assert answer.status_code == 400, host[:50]
            assert not host or host.encode() not in answer.content, host[:50]
            assert "evil" not in str(answer.headers), host[:50]

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL"]
    )
    def test_nothing_else_names_one(self, header: str) -> None:
        client = client_of(TenantFactory.create())
        for address in ("/v1/jobs", "/v1/files", "/login"):
            answer: Any = client.get(address, headers={header: "evil.example"})
            assert answer.status_code == 200
            assert b"evil.example" not in answer.content
