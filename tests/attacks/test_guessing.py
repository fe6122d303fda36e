"""Guessing passwords, keys and links: there are only so many tries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from accounts import sign_in_limits
from accounts.models import RateBucket, User
from accounts.roles import Role
from ffapi_site.lib.ids import new_id
from tests.api.sending import code_of
from tests.factories import (
    PASSWORD,
    FileFactory,
    MembershipFactory,
    TenantFactory,
    UserFactory,
)
from tests.harness.api_client import client_of, key_of
from tests.harness.signing_in import sign_in

pytestmark = pytest.mark.django_db
WRONG = "guessed"


@pytest.fixture
def root() -> User:
    """Staff, and an admin of a tenant: whoever may do everything."""
    user: User = UserFactory.create(username="root", is_staff=True, is_superuser=True)
    MembershipFactory.create(user=user, role=Role.ADMIN)
    return user


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

    def test_many_names_from_one_subscriber_of_ipv6(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _let_try(monkeypatch, "_OF_AN_ADDRESS", 5)
        statuses = [self.guess(name=f"u{n}", REMOTE_ADDR=f"2001:db8::{n:x}") for n in range(8)]
        assert statuses == [200] * 5 + [429] * 3

    def test_one_name_from_many_addresses(
        self, root: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert sign_in_limits._OF_A_NAME.quota == 100
        _let_try(monkeypatch, "_OF_A_NAME", 10)
        statuses = [self.guess(REMOTE_ADDR=f"198.51.100.{n}") for n in range(13)]
        assert statuses == [200] * 10 + [429] * 3
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


def _let_try(monkeypatch: pytest.MonkeyPatch, limit: str, times: int) -> None:
    fewer = replace(getattr(sign_in_limits, limit), quota=times)
    monkeypatch.setattr(sign_in_limits, limit, fewer)


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

    @pytest.mark.parametrize("path", ["/health/detailed", "/metrics"])
    def test_guessed_ops_tokens(self, settings: Settings, path: str) -> None:
        """Past the limit the right one opens nothing either, or guessing would go on."""
        settings.OPS_TOKEN = "the right one"
        right = {"Authorization": "Bearer the right one"}
        guesses = [self.ask(path, Authorization=f"Bearer {_guessed()}") for _ in range(5)]
        assert [each.status_code for each in guesses] == [401, 401, 401, 429, 429]
        assert self.ask(path, **right).status_code == 429
        assert self.ask(path, "192.0.2.2", **right).status_code in {200, 503}

    def test_probes_are_not_counted(self) -> None:
        assert {self.ask("/health/live").status_code for _ in range(6)} == {200}

    def test_people_who_signed_in_are_not_counted(self, root: User) -> None:
        client = Client()
        sign_in(client, root)
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
