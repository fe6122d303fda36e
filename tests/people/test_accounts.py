"""Passwords, addresses, sessions and registration."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.exceptions import SessionInterrupted
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import BrowserSession, Membership, User
from accounts.people import profile, sessions
from accounts.people import sign_in as entry
from accounts.people.sessions import SessionStore
from ffapi_site.lib.problems import Conflict
from tests.factories import PASSWORD, TenantFactory, UserFactory
from tests.harness.cast import Cast
from tests.harness.signing_in import enrolled, sign_in
from tests.people.conftest import Log, PostOffice

pytestmark = pytest.mark.django_db
ADDRESS = "alice@example.org"
NEW = "another good password"


@pytest.fixture(autouse=True)
def _address(cast: Cast) -> None:
    cast.alice.email = ADDRESS
    cast.alice.save(update_fields=["email"])


def can_sign_in(password: str, name: str = "alice") -> bool:
    return Client().post("/login", {"username": name, "password": password}).status_code == 302


class SmallArgon2(Argon2PasswordHasher):
    """Most of what a sign-in takes, and little of the run."""

    memory_cost = 20_000


class TestSigningIn:
    def test_each_thing_is_told_once(self, cast: Cast, log: Callable[[], Log]) -> None:
        since, client, own = log(), Client(), cast.tenant.pk
        client.post("/login", {"username": "alice", "password": "guessed"})
        client.post("/login", {"username": "nobody\x00", "password": "guessed"})
        client.post("/login", {"username": "nobody", "password": "guessed"})
        client.post("/login", {"username": "alice", "password": PASSWORD})
        client.post("/logout")
        client.post("/logout")
        assert since.told() == [
            ("login.failed", "failure", own),
            ("login.failed", "failure", None),
            ("login.succeeded", "success", own),
            ("session.ended", "success", own),
        ]

    def test_a_lock_is_told_as_one(self, cast: Cast, log: Callable[[], Log]) -> None:
        since = log()
        for _ in range(6):
            Client().post("/login", {"username": "alice", "password": "guessed"})
        assert since.events == ["login.failed"] * 4 + ["login.locked"] * 2

    def test_names_of_nobody_take_as_long(self, cast: Cast, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = [f"{__name__}.SmallArgon2"]
        settings.AXES_FAILURE_LIMIT = 1000
        UserFactory.create(username="known", password=PASSWORD)

        def took(name: str, address: str) -> float:
            start = time.perf_counter()
            form = {"username": name, "password": "guessed"}
            Client().post("/login", form, REMOTE_ADDR=address)
            return time.perf_counter() - start

        pairs = [(took("known", f"192.0.2.{n}"), took("nobody", f"192.0.2.{n}")) for n in range(12)]
        known, nobody = (statistics.median(each) for each in zip(*pairs, strict=True))
        assert 0.6 < known / nobody < 1.67


class TestPasswords:
    def ask(self, post_office: PostOffice, address: str = ADDRESS) -> None:
        with post_office.open():
            asked = Client().post("/password/forgotten", {"email": address})
        assert asked["Location"] == "/password/sent"

    def test_a_forgotten_one_is_set_anew(
        self, cast: Cast, alice: Client, post_office: PostOffice, log: Callable[[], Log]
    ) -> None:
        since, client = log(), Client()
        self.ask(post_office, ADDRESS.upper())
        path = client.get(post_office.link_to(ADDRESS))["Location"]
        form = {"new_password1": NEW, "new_password2": NEW}
        assert client.post(path, form)["Location"] == "/login"
        assert since.events == ["password.reset_requested", "password.reset"]
        assert can_sign_in(NEW)
        assert not can_sign_in(PASSWORD)
        assert alice.get("/profile").status_code == 302

    def test_its_link_is_good_once(self, cast: Cast, post_office: PostOffice) -> None:
        self.ask(post_office)
        link, client = post_office.link_to(ADDRESS), Client()
        form = {"new_password1": NEW, "new_password2": NEW}
        client.post(client.get(link)["Location"], form)
        assert "This link is over" in Client().get(link).content.decode()

    def test_it_is_set_where_one_is_signed_in(
        self, cast: Cast, alice: Client, post_office: PostOffice
    ) -> None:
        self.ask(post_office)
        path = alice.get(post_office.link_to(ADDRESS))["Location"]
        form = {"new_password1": NEW, "new_password2": NEW}
        shown = alice.post(path, form, follow=True)
        assert shown.redirect_chain == [("/login", 302)]
        assert "Your password is set" in shown.content.decode()
        assert not BrowserSession.objects.filter(user=cast.alice).exists()
        assert can_sign_in(NEW)

    def test_another_s_session_stays(
        self, cast: Cast, bob: Client, post_office: PostOffice
    ) -> None:
        self.ask(post_office)
        path = bob.get(post_office.link_to(ADDRESS))["Location"]
        bob.post(path, {"new_password1": NEW, "new_password2": NEW})
        assert can_sign_in(NEW)
        assert bob.get("/profile").status_code == 200

    def test_it_asks_for_a_code_all_the_same(self, cast: Cast, post_office: PostOffice) -> None:
        enrolled(cast.alice)
        self.ask(post_office)
        client = Client()
        path = client.get(post_office.link_to(ADDRESS))["Location"]
        client.post(path, {"new_password1": NEW, "new_password2": NEW})
        response = client.post("/login", {"username": "alice", "password": NEW})
        assert response["Location"] == "/login/code"

    def test_a_weak_one_is_refused(self, cast: Cast, post_office: PostOffice) -> None:
        self.ask(post_office)
        client = Client()
        path = client.get(post_office.link_to(ADDRESS))["Location"]
        client.post(path, {"new_password1": "password", "new_password2": "password"})
        assert can_sign_in(PASSWORD)

    def test_addresses_of_nobody_get_the_same_answer(
        self, post_office: PostOffice, log: Callable[[], Log]
    ) -> None:
        since = log()
        with post_office.open() as callbacks:
            answers = [
                Client().post("/password/forgotten", {"email": address}, REMOTE_ADDR="192.0.2.1")
                for address in (ADDRESS, "nobody@example.org")
            ]
        told, untold = ((each.status_code, each["Location"], each.content) for each in answers)
        assert told == untold
        assert len(callbacks) == 1
        assert since.told() == [("password.reset_requested", "success", None)] * 2

    def test_mails_to_one_person_are_bounded(self, post_office: PostOffice) -> None:
        with post_office.open() as callbacks:
            for n in range(6):
                form = {"email": ADDRESS}
                Client().post("/password/forgotten", form, REMOTE_ADDR=f"192.0.2.{n}")
        assert len(callbacks) == 3

    def test_an_address_asks_so_often(self, cast: Cast) -> None:
        statuses = [
            Client().post("/password/forgotten", {"email": f"a{n}@example.org"}).status_code
            for n in range(12)
        ]
        assert statuses == [302] * 10 + [429] * 2

    def test_a_server_that_is_away_breaks_nothing(
        self, post_office: PostOffice, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.EMAIL_PORT = 1
        start = time.monotonic()
        self.ask(post_office)
        assert time.monotonic() - start < 2
        while "A mail was not sent" not in caplog.text:
            assert time.monotonic() - start < 30
            time.sleep(0.1)

    def test_it_is_changed(self, cast: Cast, alice: Client, log: Callable[[], Log]) -> None:
        other, since = sign_in(Client(), cast.alice), log()
        form = {"password": PASSWORD, "new_password": NEW, "repeated": NEW}
        assert alice.post("/profile/password", form)["Location"] == "/profile"
        assert since.events == ["password.changed"]
        assert alice.get("/profile").status_code == 200
        assert other.get("/profile").status_code == 302
        assert can_sign_in(NEW)

    def test_that_takes_the_old_one(self, alice: Client) -> None:
        form = {"password": "guessed", "new_password": NEW, "repeated": NEW}
        assert [alice.post("/profile/password", form).status_code for _ in range(6)] == [
            *[422] * 4,
            *[429] * 2,
        ]
        assert not can_sign_in(NEW)

    def test_who_has_none_makes_none(self) -> None:
        user = UserFactory.create(password=None)
        client = sign_in(Client(), user)
        assert client.get("/profile/password").status_code == 403
        form = {"new_password": NEW, "repeated": NEW}
        assert client.post("/profile/password", form).status_code == 403
        assert not User.objects.get(pk=user.pk).has_usable_password()

    @pytest.mark.parametrize("path", ["/profile/password", "/login/enrol"])
    def test_what_comes_with_a_wrong_one_is_not_kept(self, alice: Client, path: str) -> None:
        secret = {"new_password": NEW, "repeated": NEW, "code": "314159"}
        alice.get("/login/enrol")
        assert alice.post(path, {"password": "guessed"} | secret).status_code == 422
        kept = AccessAttempt.objects.get().post_data
        assert "repeated=*" in kept
        assert not [text for text in ("guessed", NEW, "314159") if text in kept]


class TestProfile:
    def test_it_works(self, cast: Cast, alice: Client, log: Callable[[], Log]) -> None:
        since = log()
        alice.post("/profile", {"first_name": "Alice", "last_name": "Adams"})
        assert User.objects.get(username="alice").get_full_name() == "Alice Adams"
        assert since.events == ["person.changed"]

    def test_who_is_in_no_tenant_has_one_too(self) -> None:
        client = sign_in(Client(), UserFactory.create())
        assert client.get("/profile").status_code == 200

    def test_another_address_is_proved(
        self, alice: Client, post_office: PostOffice, log: Callable[[], Log]
    ) -> None:
        since = log()
        with post_office.open():
            alice.post("/profile/address", {"email": "new@example.org", "password": PASSWORD})
        link = post_office.link_to("new@example.org")
        assert alice.get(link).status_code == 200
        assert User.objects.get(username="alice").email == ADDRESS
        with post_office.open():
            assert alice.post(link).status_code == 302
        assert "has another e-mail address" in post_office.mail_to(ADDRESS).get_content()
        assert User.objects.get(username="alice").email == "new@example.org"
        assert alice.post(link).status_code == 404
        assert since.events == ["person.email_requested", "person.changed"]

    def test_that_takes_the_password(self, alice: Client, post_office: PostOffice) -> None:
        with post_office.open() as callbacks:
            for password in ("", "guessed"):
                form = {"email": "new@example.org", "password": password}
                assert alice.post("/profile/address", form).status_code == 422
        assert callbacks == []

    def test_or_a_sign_in_a_moment_ago_without_one(self) -> None:
        client = sign_in(Client(), UserFactory.create(password=None))
        form = {"email": "new@example.org"}
        assert client.post("/profile/address", form).status_code == 302
        session = client.session
        session["entry"] = session["entry"] | {"at": time.time() - entry.PROVED_FOR_S}
        session.save()
        assert client.post("/profile/address", form).status_code == 422

    def test_its_link_is_one_person_s(
        self, alice: Client, bob: Client, post_office: PostOffice
    ) -> None:
        with post_office.open():
            alice.post("/profile/address", {"email": "new@example.org", "password": PASSWORD})
        assert bob.post(post_office.link_to("new@example.org")).status_code == 404

    def test_nobody_takes_another_s(self, cast: Cast, bob: Client, post_office: PostOffice) -> None:
        with post_office.open():
            answer = bob.post("/profile/address", {"email": ADDRESS, "password": PASSWORD})
        assert answer.status_code == 302
        assert "There is an account with it already" in post_office.mail_to(ADDRESS).get_content()

    def test_nor_one_that_was_taken_meanwhile(self, cast: Cast) -> None:
        with pytest.raises(Conflict):
            profile.confirm_address(cast.bob, ADDRESS.upper())
        assert User.objects.get(pk=cast.bob.pk).email == ""


class TestSessions:
    def ids(self, client: Client) -> list[str]:
        return [each.public_id for each in client.get("/profile/sessions").context["sessions"]]

    def test_they_are_listed(self, cast: Cast) -> None:
        client = Client(headers={"User-Agent": "Firefox"}, REMOTE_ADDR="192.0.2.9")
        client.post("/login", {"username": "alice", "password": PASSWORD})
        page = client.get("/profile/sessions").content.decode()
        assert "Firefox" in page
        assert "192.0.2.9" in page
        assert str(client.session.session_key) not in page

    def test_another_is_ended(self, cast: Cast, alice: Client, log: Callable[[], Log]) -> None:
        other = sign_in(Client(), cast.alice)
        theirs = sessions_id(other)
        since = log()
        assert alice.post(f"/profile/sessions/{theirs}/revoke").status_code == 302
        assert other.get("/profile").status_code == 302
        assert alice.get("/profile").status_code == 200
        assert since.events == ["session.revoked"]

    def test_all_others_are(self, cast: Cast, alice: Client, log: Callable[[], Log]) -> None:
        others = [sign_in(Client(), cast.alice) for _ in range(3)]
        since = log()
        alice.post("/profile/sessions/others")
        assert [client.get("/profile").status_code for client in others] == [302] * 3
        assert len(self.ids(alice)) == 1
        assert since.events == ["session.revoked"]

    def test_another_person_s_is_absent(self, alice: Client, bob: Client) -> None:
        assert bob.post(f"/profile/sessions/{sessions_id(alice)}/revoke").status_code == 404
        assert alice.get("/profile").status_code == 200

    def test_an_unused_one_ends(self, alice: Client) -> None:
        _age(timedelta(minutes=31))
        assert alice.get("/profile").status_code == 302

    def test_use_keeps_it(self, alice: Client) -> None:
        for _ in range(3):
            _age(timedelta(minutes=20))
            assert alice.get("/profile").status_code == 200

    def test_a_page_that_renews_itself_does_not(self, alice: Client) -> None:
        for _ in range(2):
            _age(timedelta(minutes=16))
            alice.get("/jobs", headers={"HX-Request": "true"})
        assert alice.get("/profile").status_code == 302

    def test_it_ends_after_twelve_hours_all_the_same(self, cast: Cast, alice: Client) -> None:
        session = alice.session
        session["entry"] = session["entry"] | {"at": time.time() - 12 * 3600 + 60}
        session.save()
        assert alice.get("/profile").status_code == 200
        assert BrowserSession.objects.get().expire_date < timezone.now() + timedelta(seconds=61)

    def test_its_key_changes_at_the_sign_in(self, cast: Cast, client: Client) -> None:
        session = client.session
        session["anything"] = 1
        session.save()
        before = session.session_key
        client.post("/login", {"username": "alice", "password": PASSWORD})
        assert client.session.session_key != before
        assert not BrowserSession.objects.filter(session_key=before).exists()

    def test_of_two_requests_that_change_its_key_one_does(self, alice: Client) -> None:
        first, second = (SessionStore(alice.session.session_key) for _ in range(2))
        entry = first["entry"]
        assert second["entry"] == entry
        first.cycle_key()
        with pytest.raises(SessionInterrupted):
            second.cycle_key()
        assert SessionStore(first.session_key)["entry"] == entry
        assert BrowserSession.objects.get().session_key == first.session_key

    def test_it_is_made_once(self, alice: Client) -> None:
        again = SessionStore()
        again["entry"] = alice.session["entry"]
        with pytest.raises(SessionInterrupted):
            again.save()

    @pytest.mark.parametrize("key", ["abcdefghij\0", "A" * 32, "a" * 33])
    def test_what_is_no_key_is_a_stranger_s(self, client: Client, key: str) -> None:
        client.cookies["sessionid"] = key
        assert client.get("/profile")["Location"] == "/login?next=/profile"

    def test_ended_ones_are_forgotten(self, alice: Client) -> None:
        assert sessions.forget_old() == 0
        _age(timedelta(hours=1))
        assert sessions.forget_old() == 1


def sessions_id(client: Client) -> str:
    return str(client.session["entry"]["id"])


def _age(by: timedelta) -> None:
    for row in BrowserSession.objects.all():
        aged = {"seen_at": row.seen_at - by, "expire_date": row.expire_date - by}
        BrowserSession.objects.filter(pk=row.pk).update(**aged)


class TestRegistration:
    FORM = {"username": "dora", "tenant": "atelier", "new_password": NEW, "repeated": NEW}

    @pytest.fixture(autouse=True)
    def _open(self, settings: Settings) -> None:
        settings.REGISTRATION = "open"

    @pytest.fixture
    def link(self, post_office: PostOffice) -> str:
        with post_office.open():
            Client().post("/register", {"email": "dora@example.org"})
        return post_office.link_to("dora@example.org")

    def test_it_works(self, link: str, log: Callable[[], Log]) -> None:
        since = log()
        assert Client().post(link, self.FORM)["Location"] == "/login"
        made = Membership.objects.get(user__username="dora")
        assert (made.tenant.name, made.role, made.user.email) == (
            "atelier",
            "admin",
            "dora@example.org",
        )
        assert since.told() == [("registration.completed", "success", made.tenant.pk)]
        assert Client().get(link).status_code == 404

    @pytest.mark.parametrize("kind", ["invitation", "off"])
    def test_it_is_absent_where_it_is_not_open(
        self, settings: Settings, link: str, kind: str
    ) -> None:
        settings.REGISTRATION = kind
        for path in ("/register", link):
            assert Client().get(path).status_code == 404
            assert Client().post(path, self.FORM).status_code == 404

    @pytest.mark.parametrize(("field", "value"), [("tenant", "studio"), ("username", "alice")])
    def test_a_taken_name_is_named(self, link: str, field: str, value: str) -> None:
        response = Client().post(link, self.FORM | {field: value})
        assert list(response.context["form"].errors) == [field]

    def test_no_tenant_is_called_as_another_s_id(self, cast: Cast, link: str) -> None:
        response = Client().post(link, self.FORM | {"tenant": cast.tenant.pk})
        assert list(response.context["form"].errors) == ["tenant"]

    def test_staff_who_give_an_id_get_to_that_tenant(self, cast: Cast, staff: Client) -> None:
        TenantFactory.create(name=cast.tenant.pk)  # made by hand, or long ago
        form = {"tenant": cast.tenant.pk, "reason": "request 4711"}
        assert staff.post("/tenant", form).status_code == 302
        assert staff.get("/").context["visitor"].tenant == cast.tenant

    def test_a_known_address_is_told_in_the_mail_only(self, post_office: PostOffice) -> None:
        with post_office.open():
            answer = Client().post("/register", {"email": ADDRESS})
        assert answer["Location"] == "/password/sent"
        assert "There is an account" in post_office.mail_to(ADDRESS).get_content()
