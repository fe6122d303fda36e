"""What a browser can be made to send: forged forms, cookies, hosts, redirects, passwords."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts.models import ApiKey, RateBucket, Tenant, User
from accounts.roles import Role
from ffapi_site.lib.ids import new_id
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
from tests.site.test_headers import ADDRESSES
from tests.storage.client import client_of, key_of

pytestmark = pytest.mark.django_db
WRONG = "guessed"
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


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
    client.force_login(root)
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

    @pytest.mark.parametrize("form", FORMS)
    def test_no_address_takes_them(
        self, browser: Client, everything: dict[Any, list[Any]], form: str
    ) -> None:
        kind, body = FORMS[form]
        for address in ADDRESSES:
            for method in UNSAFE:
                answer = browser.generic(method, address, body, kind)
                assert answer.status_code in {400, 401, 403, 404, 405}, (method, address)
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

    @pytest.mark.parametrize("address", [each for each in ADDRESSES if each.startswith("/v1/")])
    def test_a_session_is_nobody(self, root: User, address: str) -> None:
        client = Client()
        client.force_login(root)
        client.get("/")
        token = client.cookies["csrftoken"].value
        for method in ("GET", *UNSAFE):
            answer = client.generic(
                method, address, b"{}", "application/json", headers={"X-CSRFToken": token}
            )
            assert answer.status_code == 401 or address == "/v1/openapi.json", method
            assert not answer.cookies

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
        client.force_login(root)
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

    @pytest.mark.parametrize("to", ELSEWHERE, ids=ascii)
    @pytest.mark.parametrize("form", ["/login", "/admin/login/"])
    def test_signing_in_stays_here(self, root: User, form: str, to: str) -> None:
        by_form = Client().post(form, {"username": "root", "password": PASSWORD, "next": to})
        by_address = Client().post(
            f"{form}?next={quote(to)}", {"username": "root", "password": PASSWORD}
        )
        for answer in (by_form, by_address):
            if answer.status_code == 400 and "\x00" in to:
                continue
            assert answer.status_code == 302
            where = answer["Location"]
            assert where.startswith("/"), where
            assert not where.startswith(("//", "/\\", "/\t")), where
            assert "\r" not in where
            assert "Set-Cookie" not in where or "%0" in where

    @pytest.mark.parametrize("to", ELSEWHERE, ids=ascii)
    def test_other_forms_stay_here(self, root: User, to: str) -> None:
        client = Client()
        client.force_login(root)
        for address in ("/tenant", "/logout"):
            answer = client.post(address, {"next": to, "tenant": to})
            assert answer["Location"].startswith("/")
            assert not answer["Location"].startswith("//")

    @pytest.mark.parametrize(
        "path", ["//evil.example", "//evil.example/..", "/\\evil.example", "/%2fevil.example//"]
    )
    def test_a_path_is_no_host(self, path: str) -> None:
        answer = Client().get("/", PATH_INFO=path)
        assert answer.status_code == 404
        assert not answer.has_header("Location")


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

    @pytest.mark.parametrize("host", WRONG, ids=lambda host: host[:20] or "none")
    @pytest.mark.parametrize("address", ["/", "/login", "/v1/jobs", "/admin/", "/static/x.css"])
    def test_a_strange_one_is_refused(self, address: str, host: str) -> None:
        answer = Client().get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert not host or host.encode() not in answer.content
        assert "evil" not in str(answer.headers)

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL"]
    )
    def test_nothing_else_names_one(self, header: str) -> None:
        client = client_of(TenantFactory.create())
        for address in ("/v1/jobs", "/v1/files", "/login"):
            answer: Any = client.get(address, headers={header: "evil.example"})
            assert answer.status_code == 200
            assert b"evil.example" not in answer.content


class TestGuessing:
    """Of passwords."""

    def guess(self, password: str = WRONG, name: str = "root", **extra: Any) -> int:
        form = {"username": name, "password": password}
        return Client().post("/login", form, **extra).status_code

    def unlock(self) -> None:
        RateBucket.objects.all().delete()

    @pytest.mark.parametrize("form", ["/login", "/admin/login/"])
    def test_the_sixth_try_is_not_looked_at(self, root: User, form: str) -> None:
        def attempt(password: str) -> Any:
            return Client().post(form, {"username": "root", "password": password})

        assert [attempt("guessed").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
        refused = attempt(PASSWORD)
        assert refused.status_code == 429
        assert refused["Retry-After"] == "900"
        assert b"Too many tries" in refused.content
        assert not refused.cookies.get("sessionid")

    def test_another_form_is_locked_with_it(self, root: User) -> None:
        for _ in range(5):
            self.guess()
        form = {"username": "root", "password": PASSWORD}
        assert Client().post("/admin/login/", form).status_code == 429

    def test_a_stranger_locks_nobody_else_out(self, root: User) -> None:
        for _ in range(8):
            self.guess(REMOTE_ADDR="192.0.2.1")
        assert self.guess(PASSWORD, REMOTE_ADDR="192.0.2.2") == 302

    def test_it_ends(self, root: User) -> None:
        for _ in range(5):
            self.guess()
        long_enough = timedelta(minutes=15, seconds=1)
        AccessAttempt.objects.update(attempt_time=F("attempt_time") - long_enough)
        assert self.guess(PASSWORD) == 302

    def test_who_knocks_on_a_lock_does_not_renew_it(self, root: User) -> None:
        for _ in range(5):
            self.guess()
        before = AccessAttempt.objects.get().attempt_time
        for _ in range(5):
            assert self.guess() == 429
        assert AccessAttempt.objects.get().attempt_time == before

    def test_success_forgets_failures(self, root: User) -> None:
        for _ in range(3):
            for _ in range(4):
                assert self.guess() == 200
            assert self.guess(PASSWORD) == 302

    def test_a_name_of_nobody_is_locked_just_so(self, root: User) -> None:
        told = [[self.guess(name=name) for _ in range(7)] for name in ("root", "nobody")]
        assert told[0] == told[1]

    def test_many_names_from_one_address(self) -> None:
        statuses = [self.guess(name=f"user-{n}") for n in range(40)]
        assert statuses.count(200) == 30
        assert set(statuses[30:]) == {429}

    def test_many_names_from_one_subscriber_of_ipv6(self) -> None:
        statuses = [self.guess(name=f"u{n}", REMOTE_ADDR=f"2001:db8::{n:x}") for n in range(40)]
        assert statuses.count(200) == 30

    def test_one_name_from_many_addresses(self, root: User) -> None:
        statuses = [self.guess(REMOTE_ADDR=f"198.51.{n // 250}.{n % 250}") for n in range(120)]
        assert statuses.count(200) == 100
        assert self.guess(PASSWORD, REMOTE_ADDR="203.0.113.1") == 429
        self.unlock()
        assert self.guess(PASSWORD, REMOTE_ADDR="203.0.113.1") == 302

    def test_made_up_addresses_do_not_help(self, root: User) -> None:
        for n in range(5):
            self.guess(headers={"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"192.0.2.{n}"})
        assert self.guess(PASSWORD, headers={"X-Forwarded-For": "203.0.113.9"}) == 429

    def test_behind_a_proxy_clients_are_told_apart(self, root: User, settings: Settings) -> None:
        settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
        for n in range(6):
            self.guess(headers={"X-Forwarded-For": f"10.9.8.{n}, 198.51.100.7"})
        mine = {"X-Forwarded-For": "203.0.113.9"}
        theirs = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        assert self.guess(PASSWORD, headers=theirs) == 429
        assert self.guess(PASSWORD, headers=mine) == 302

    @pytest.mark.parametrize("agent", [{"User-Agent": "x" * 4000}, {"Accept": "y" * 4000}])
    def test_what_is_noted_of_a_try_is_bounded(self, root: User, agent: dict[str, str]) -> None:
        assert self.guess(headers=agent) == 200
        assert self.guess("p" * 100_000) == 200
        assert "p" * 10 not in str(AccessAttempt.objects.values())

    @pytest.mark.parametrize("name", ["\x00", "x" * 100_000, "\ud800", "' OR 1=1 --", "*", ""])
    def test_no_name_is_an_error_of_ours(self, name: str) -> None:
        form = f"username={quote(name, errors='surrogatepass')}&password=x"
        kind = "application/x-www-form-urlencoded"
        assert Client().generic("POST", "/login", form.encode(), kind).status_code in {200, 400}

    @pytest.mark.django_db(transaction=True)
    def test_parallel_tries_count_as_many(self) -> None:
        def guess(number: int) -> int:
            try:
                return self.guess(name=f"user-{number}")
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(guess, range(50)))
        assert statuses.count(200) == 30


class TestStrangers:
    """Requests that prove nothing, by address."""

    @pytest.fixture(autouse=True)
    def _three(self, settings: Settings) -> None:
        settings.RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = 3

    def ask(self, path: str, address: str = "192.0.2.1", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client().get(path, headers=named, REMOTE_ADDR=address)

    def test_guessed_keys(self) -> None:
        statuses = [
            self.ask("/v1/jobs", Authorization=f"Bearer {_guessed()}").status_code for _ in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]

    def test_a_refusal_says_when_to_come_again(self) -> None:
        for _ in range(3):
            self.ask("/v1/jobs")
        refused = self.ask("/v1/jobs")
        assert code_of(refused, 429) == "rate_limited"
        assert refused["Retry-After"] == "20"
        assert refused["RateLimit-Policy"] == '"address";q=3;w=60'
        assert refused["RateLimit"].startswith('"address";r=0;t=')

    def test_a_key_is_not_refused_for_its_neighbours(self) -> None:
        for _ in range(5):
            self.ask("/v1/jobs", X_API_Key="x")
        key = key_of(TenantFactory.create())
        assert self.ask("/v1/tenant", X_API_Key=key).status_code == 200

    def test_guessed_links(self) -> None:
        file = FileFactory.create()
        path = f"/v1/files/{file.pk}/content?token=x"
        assert [self.ask(path).status_code for _ in range(4)] == [403, 403, 403, 429]

    def test_good_links_are_not_counted(self) -> None:
        tenant = TenantFactory.create()
        file = FileFactory.create(tenant=tenant)
        told = client_of(tenant).get(f"/v1/files/{file.pk}").json()["download_url"]
        for _ in range(6):
            answer = self.ask("/" + told.split("/", 3)[3])
            b"".join(answer)  # to the end, which closes the file
            assert answer.status_code == 200

    @pytest.mark.parametrize("path", ["/login", "/docs/", "/metrics", "/docs/errors", "/redoc/"])
    def test_public_pages(self, path: str) -> None:
        statuses = [self.ask(path).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        assert self.ask(path, "192.0.2.2").status_code == 200

    def test_the_description_says_it_as_a_problem(self) -> None:
        for _ in range(3):
            self.ask("/docs/")
        assert code_of(self.ask("/v1/openapi.json"), 429) == "rate_limited"

    def test_probes_are_not_counted(self) -> None:
        assert {self.ask("/health/live").status_code for _ in range(6)} == {200}

    def test_people_who_signed_in_are_not_counted(self, root: User) -> None:
        client = Client()
        client.force_login(root)
        assert {client.get("/").status_code for _ in range(6)} == {200}

    def test_made_up_addresses_do_not_help(self) -> None:
        statuses = [
            self.ask("/v1/jobs", X_Forwarded_For=f"198.51.100.{n}").status_code for n in range(5)
        ]
        assert statuses[3:] == [429, 429]

    def test_nor_do_the_addresses_of_one_subscriber(self) -> None:
        statuses = [self.ask("/login", f"2001:db8:1:2::{n:x}").status_code for n in range(5)]
        assert statuses[3:] == [429, 429]


def _guessed() -> str:
    return f"ffapi_{new_id('key').removeprefix('key_')}_{'A' * 43}000000"


class TestPages:
    """Odd input to pages, where a form library or the database could stumble."""

    ODD = ("\x00", "%", "'", "\\", "a" * 5000, "\U0001f4a9", "-1", "1e9", "[]", "../etc/passwd")
    PAGES = (
        "/jobs?status={}", "/jobs?search={}", "/jobs?before={}", "/jobs?operation={}",
        "/files?search={}", "/files?after={}", "/login?next={}", "/compose/{}",
        "/operations/transcode/new?from={}",
        "/admin/media_jobs/job/?q={}", "/admin/media_jobs/job/?status={}",
        "/admin/accounts/user/?e={}",
        "/admin/media_jobs/job/{}/change/", "/admin/accounts/tenant/?p={}", "/docs/errors?{}",
        "/admin/accounts/user/?o={}", "/admin/search/?s={}", "/admin/autocomplete/?term={}",
    )  # fmt: skip

    @pytest.mark.parametrize("page", PAGES)
    def test_nothing_is_an_error_of_ours(self, browser: Client, page: str) -> None:
        for odd in self.ODD:
            path = page.format(quote(odd, safe=""))
            assert browser.get(path).status_code < 500, path

    @pytest.mark.parametrize("text", ["%ff", "%ed%a0%80", "%c0%af", "%u0041", "%"])
    def test_bytes_that_are_no_text(self, browser: Client, text: str) -> None:
        for page in self.PAGES:
            assert browser.get(page.format(text)).status_code < 500, page

    @pytest.mark.parametrize(
        "form", ["/login", "/tenant", "/operations/transcode/new", "/admin/login/"]
    )
    def test_forms_too_large(self, root: User, form: str) -> None:
        client = Client()
        if form != "/admin/login/":
            client.force_login(root)
        kind = "application/x-www-form-urlencoded"
        many = "&".join(f"f{n}=" for n in range(2000)).encode()
        for body in (many, b"a=" + b"x" * (2 * 1024 * 1024)):
            assert client.generic("POST", form, body, kind).status_code in {400, 405, 413}

    def test_what_a_page_repeats_is_text(self, browser: Client) -> None:
        hostile = '"><script>alert(1)</script>'
        for page in self.PAGES:
            answer: Any = browser.get(page.format(quote(hostile)), follow=True)
            content = b"" if answer.streaming else answer.content
            assert b"<script>alert(1)" not in content, page

    def test_json_in_a_page_ends_no_script(self) -> None:
        tenant = TenantFactory.create()
        job = JobFactory.create(tenant=tenant, metadata={"a": "</script><script>alert(1)</script>"})
        user = UserFactory.create()
        MembershipFactory.create(user=user, tenant=tenant)
        client = Client()
        client.force_login(user)
        assert b"<script>alert(1)" not in client.get(f"/jobs/{job.pk}").content
        assert json.loads(client_of(tenant).get(f"/v1/jobs/{job.pk}").content)["metadata"]
