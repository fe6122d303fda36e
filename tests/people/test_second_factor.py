"""Codes at sign-in: who needs one, which are right, and how often anybody may try."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Authenticator, RecoveryCode, User
from accounts.people import recovery, second_factor
from accounts.people import sign_in as entry
from accounts.roles import Role
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.harness.cast import Cast
from tests.harness.signing_in import code_of, enrolled, sign_in
from tests.people.conftest import Log, PostOffice

pytestmark = pytest.mark.django_db


@pytest.fixture
def authenticator(cast: Cast) -> Authenticator:
    return enrolled(cast.alice)


def half_in(name: str = "alice", path: str = "/login") -> Client:
    """A browser in which the password was given."""
    client = Client()
    client.post(path, {"username": name, "password": PASSWORD})
    return client


def give(client: Client, code: str, **data: str) -> int:
    return client.post("/login/code", {"code": code} | data).status_code


def is_in(client: Client) -> bool:
    return client.get("/profile").status_code == 200


def wrong(authenticator: Authenticator) -> str:
    near = {code_of(authenticator, steps=steps) for steps in range(-2, 3)}
    return next(
        code for code in ("000000", "111111", "222222", "333333", "444444") if code not in near
    )


def test_it_works(cast: Cast, authenticator: Authenticator, log: Callable[[], Log]) -> None:
    since = log()
    client = Client()
    form = {"username": "alice", "password": PASSWORD, "next": "/files"}
    response = client.post("/login", form)
    assert response["Location"] == "/login/code?next=%2Ffiles"
    assert client.get(response["Location"]).status_code == 200
    key = client.session.session_key
    response = client.post("/login/code", {"code": code_of(authenticator), "next": "/files"})
    assert response["Location"] == "/files"
    assert client.session.session_key != key
    assert is_in(client)
    assert since.told() == [
        ("login.succeeded", "success", cast.tenant.pk),
        ("totp.verified", "success", cast.tenant.pk),
    ]


@pytest.mark.parametrize("page", ["/", "/jobs", "/files", "/profile", "/settings", "/tenant"])
def test_until_then_one_is_a_stranger(authenticator: Authenticator, page: str) -> None:
    assert half_in().get(page)["Location"] == f"/login?next={page}"


def test_the_sign_in_goes_on_where_it_was(authenticator: Authenticator) -> None:
    assert half_in().get("/login?next=/files")["Location"] == "/login/code?next=%2Ffiles"


def test_a_code_alone_is_nothing(authenticator: Authenticator, client: Client) -> None:
    response = client.post("/login/code", {"code": code_of(authenticator)})
    assert response["Location"] == "/login"
    assert not is_in(client)


def test_no_second_authenticator_is_enrolled_on_the_way(authenticator: Authenticator) -> None:
    client = half_in()
    for response in (client.get("/login/enrol"), client.post("/login/enrol", {"code": "1"})):
        assert response["Location"] == "/login/code"
    assert not is_in(client)


def test_a_code_is_taken_once(authenticator: Authenticator, log: Callable[[], Log]) -> None:
    code = code_of(authenticator)
    first, second = half_in(), half_in()
    since = log()
    assert (give(first, code), give(second, code)) == (302, 422)
    assert is_in(first)
    assert not is_in(second)
    assert since.events == ["totp.verified", "totp.failed"]


def test_nor_is_an_older_one_after_it(authenticator: Authenticator) -> None:
    assert give(half_in(), code_of(authenticator, steps=1)) == 302
    assert give(half_in(), code_of(authenticator)) == 422


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 302), (0, 302), (1, 302), (2, 422)])
def test_clocks_may_differ_by_a_step(authenticator: Authenticator, steps: int, status: int) -> None:
    assert give(half_in(), code_of(authenticator, steps=steps)) == status


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\x00", "x" * 999])
def test_what_is_no_code_is_refused(authenticator: Authenticator, code: str) -> None:
    client = half_in()
    assert give(client, code) == 422
    assert not is_in(client)


def test_the_fifth_failure_locks(
    cast: Cast, authenticator: Authenticator, log: Callable[[], Log]
) -> None:
    since = log()
    clients = [half_in() for _ in range(3)]
    statuses = [give(clients[n % 3], wrong(authenticator)) for n in range(5)]
    assert statuses == [422, 422, 422, 422, 429]
    refused = clients[0].post("/login/code", {"code": code_of(authenticator)})
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 900
    assert not is_in(clients[0])
    codes = [(event, outcome) for event, outcome, _ in since.told() if "totp" in event]
    failed, locked = ("totp.failed", "failure"), ("totp.locked", "failure")
    assert codes == [failed] * 4 + [locked, ("totp.locked", "denied")]


def test_it_holds_from_every_address(authenticator: Authenticator) -> None:
    client = half_in()
    for n in range(5):
        client.post("/login/code", {"code": wrong(authenticator)}, REMOTE_ADDR=f"192.0.2.{n}")
    other = Client(REMOTE_ADDR="203.0.113.5")
    other.post("/login", {"username": "alice", "password": PASSWORD})
    assert give(other, code_of(authenticator)) == 429


def test_a_lock_ends(authenticator: Authenticator) -> None:
    client = half_in()
    for _ in range(5):
        give(client, wrong(authenticator))
    Authenticator.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert give(client, code_of(authenticator)) == 302


def test_twenty_a_day_are_all(authenticator: Authenticator) -> None:
    client = half_in()
    tried = 0
    while tried < 20:
        Authenticator.objects.update(locked_until=None)
        give(client, wrong(authenticator))
        tried += 1
    until = Authenticator.objects.get().locked_until
    assert until
    assert until - timezone.now() > timedelta(hours=23)
    assert give(client, code_of(authenticator)) == 429


def test_success_does_not_forget_the_day(authenticator: Authenticator) -> None:
    client = half_in()
    for _ in range(4):
        give(client, wrong(authenticator))
    assert give(client, code_of(authenticator)) == 302
    assert len(Authenticator.objects.get().failed_at) == 4


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_count_each() -> None:
    user = UserFactory.create()
    authenticator = enrolled(user)
    guess = wrong(authenticator)

    def attempt(_number: int) -> bool:
        try:
            return second_factor.verify(user, guess).locked_until is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        locked = list(pool.map(attempt, range(24)))
    assert locked.count(False) == 4
    assert len(Authenticator.objects.get().failed_at) == 5


@pytest.mark.django_db(transaction=True)
def test_parallel_uses_of_a_code_are_one() -> None:
    user = UserFactory.create()
    code = code_of(enrolled(user))

    def attempt(_number: int) -> bool:
        try:
            return second_factor.verify(user, code).authenticator is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, range(5))).count(True) == 1


def test_the_secret_is_kept_encrypted(authenticator: Authenticator) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_authenticator")
        stored = cursor.fetchone()[0]
    assert authenticator.secret not in stored
    assert Authenticator.objects.get().secret == authenticator.secret


class TestRecoveryCodes:
    @pytest.fixture
    def codes(self, cast: Cast, authenticator: Authenticator) -> list[str]:
        return recovery.replace(cast.alice)

    def test_it_works(self, codes: list[str], log: Callable[[], Log]) -> None:
        client = half_in()
        since = log()
        response = client.post("/login/code", {"code": codes[3]}, follow=True)
        assert "You have 9 recovery codes left." in response.content.decode()
        assert since.events == ["recovery_code.used"]

    def test_each_is_good_once(self, codes: list[str]) -> None:
        assert give(half_in(), codes[0]) == 302
        assert give(half_in(), codes[0]) == 422
        assert give(half_in(), codes[1]) == 302

    def test_it_may_be_written_as_people_do(self, codes: list[str]) -> None:
        assert give(half_in(), codes[0].upper().replace("-", " ")) == 302

    def test_they_are_counted_with_the_others(self, codes: list[str]) -> None:
        client = half_in()
        guesses = ["0000-0000-0000-0000"] * 5
        assert [give(client, guess) for guess in guesses] == [422] * 4 + [429]
        assert give(client, codes[0]) == 429

    def test_they_are_long_enough_and_not_kept(self, cast: Cast, codes: list[str]) -> None:
        assert len(set(codes)) == recovery.NUMBER
        assert all(len(code.replace("-", "")) * 5 >= 64 for code in codes)
        kept = str(list(RecoveryCode.objects.values()))
        assert not [code for code in codes if code in kept or code.replace("-", "") in kept]

    def test_one_s_codes_are_nobody_else_s(self, cast: Cast, codes: list[str]) -> None:
        enrolled(cast.bob)
        assert give(half_in("bob"), codes[0]) == 422

    def test_new_ones_take_the_password(self, cast: Cast, codes: list[str]) -> None:
        client = sign_in(Client(), cast.alice)
        refused = client.post("/profile/recovery-codes", {"password": "guessed"})
        assert refused.status_code == 422
        made = client.post("/profile/recovery-codes", {"password": PASSWORD}).context["codes"]
        assert len(made) == recovery.NUMBER
        assert give(half_in(), codes[0]) == 422
        assert give(half_in(), made[0]) == 302


class TestEnrolment:
    def secret_of(self, client: Client) -> Authenticator:
        shown = client.get("/login/enrol")
        assert '<path d="M' in shown.content.decode()
        return Authenticator(secret=shown.context["secret"].replace(" ", ""))

    def test_it_works(self, cast: Cast, alice: Client, log: Callable[[], Log]) -> None:
        made = self.secret_of(alice)
        since = log()
        response = alice.post("/login/enrol", {"code": code_of(made), "password": PASSWORD})
        assert len(response.context["codes"]) == recovery.NUMBER
        assert since.events == ["totp.enrolled"]
        assert is_in(alice)
        assert Authenticator.objects.get(user=cast.alice).secret == made.secret

    def test_it_takes_the_password(self, cast: Cast, alice: Client) -> None:
        made = self.secret_of(alice)
        wrong_one = {"code": code_of(made), "password": "guessed"}
        assert alice.post("/login/enrol", wrong_one).status_code == 422
        assert alice.post("/login/enrol", {"code": code_of(made)}).status_code == 422
        assert not second_factor.has(cast.alice)

    def test_it_takes_a_code_of_the_app(self, cast: Cast, alice: Client) -> None:
        made = self.secret_of(alice)
        form = {"code": wrong(made), "password": PASSWORD}
        assert alice.post("/login/enrol", form).status_code == 422
        assert not second_factor.has(cast.alice)

    def test_other_sessions_end_with_it(self, cast: Cast, alice: Client) -> None:
        other = sign_in(Client(), cast.alice)
        made = self.secret_of(alice)
        alice.post("/login/enrol", {"code": code_of(made), "password": PASSWORD})
        assert is_in(alice)
        assert not is_in(other)

    def test_its_code_is_not_good_again(self, alice: Client) -> None:
        made = self.secret_of(alice)
        code = code_of(made)
        alice.post("/login/enrol", {"code": code, "password": PASSWORD})
        assert give(half_in(), code) == 422

    def test_staff_begin_with_it_and_get_where_they_wanted(
        self, cast: Cast, log: Callable[[], Log]
    ) -> None:
        since = log()
        client = Client()
        form = {"username": "sam", "password": PASSWORD, "next": "/admin/"}
        response = client.post("/admin/login/", form)
        assert response["Location"] == "/login/enrol?next=%2Fadmin%2F"
        made = self.secret_of(client)
        done = client.post("/login/enrol", {"code": code_of(made), "next": "/admin/"})
        assert done.context["next"] == "/admin/"
        assert client.get("/admin/").status_code == 200
        told = [("login.succeeded", "success", None), ("totp.enrolled", "success", None)]
        assert since.told() == told

    def test_a_tenant_can_ask_it_of_its_members(self, cast: Cast, alice: Client) -> None:
        cast.tenant.requires_totp = True
        cast.tenant.save(update_fields=["requires_totp"])
        assert alice.get("/jobs")["Location"] == "/login?next=/jobs"
        assert alice.get("/login?next=/jobs")["Location"] == "/login/enrol?next=%2Fjobs"

    def test_an_old_session_takes_the_password_for_it(self, cast: Cast) -> None:
        cast.tenant.requires_totp = True
        cast.tenant.save(update_fields=["requires_totp"])
        client = half_in()
        session = client.session
        session["entry"] = session["entry"] | {"at": time.time() - entry.PROVED_FOR_S}
        session.save()
        made = self.secret_of(client)
        assert client.post("/login/enrol", {"code": code_of(made)}).status_code == 422
        assert not second_factor.has(cast.alice)
        form = {"code": code_of(made), "password": PASSWORD}
        assert client.post("/login/enrol", form).status_code == 200
        assert is_in(client)

    def test_who_needs_one_can_t_remove_it(self, cast: Cast, staff: Client) -> None:
        refused = staff.post("/profile/authenticator/remove", {"password": PASSWORD})
        assert refused.status_code == 403
        assert second_factor.has(cast.staff)

    def test_others_can(self, cast: Cast, authenticator: Authenticator) -> None:
        client = sign_in(Client(), cast.alice)
        path = "/profile/authenticator/remove"
        assert client.post(path, {"password": "guessed"}).status_code == 422
        assert client.post(path, {"password": PASSWORD}).status_code == 302
        assert not second_factor.has(cast.alice)
        assert not RecoveryCode.objects.exists()


class TestReset:
    """Of what somebody lost, by staff."""

    PATH = "/staff/authenticators"
    REASON = "called back on the number we have"

    @pytest.fixture
    def colleague(self, cast: Cast) -> User:
        user: User = UserFactory.create(username="colleague", is_staff=True)
        enrolled(user)
        return user

    def form(self, name: str) -> dict[str, str]:
        return {"username": name, "reason": self.REASON, "password": PASSWORD}

    def test_it_works(self, staff: Client, colleague: User, log: Callable[[], Log]) -> None:
        theirs = sign_in(Client(), colleague)
        since = log()
        assert staff.post(self.PATH, self.form("colleague")).status_code == 302
        assert since.events == ["totp.reset"]
        assert not second_factor.has(colleague)
        assert not is_in(theirs)
        assert half_in("colleague").get("/login")["Location"] == "/login/enrol"

    def test_the_person_is_told(
        self, staff: Client, colleague: User, post_office: PostOffice
    ) -> None:
        User.objects.filter(pk=colleague.pk).update(email="colleague@example.org")
        with post_office.open():
            staff.post(self.PATH, self.form("colleague"))
        mail = post_office.mail_to("colleague@example.org")
        assert "have reset the authenticator of colleague" in mail.get_content()

    def test_nobody_does_it_for_themselves(self, cast: Cast, staff: Client) -> None:
        refused = staff.post(self.PATH, self.form("sam"))
        assert "second member of staff" in refused.content.decode()
        assert second_factor.has(cast.staff)

    def test_members_can_t(self, cast: Cast, alice: Client, colleague: User) -> None:
        MembershipFactory.create(user=cast.alice, role=Role.ADMIN)
        assert alice.get(self.PATH).status_code == 403
        assert alice.post(self.PATH, self.form("colleague")).status_code == 403

    def test_nor_can_staff_without_a_code(self, cast: Cast, colleague: User) -> None:
        enrolled(cast.staff)
        response = half_in("sam").post(self.PATH, self.form("colleague"))
        assert response["Location"].startswith("/login")
        assert second_factor.has(colleague)

    def test_it_takes_a_reason_and_the_password(self, staff: Client, colleague: User) -> None:
        for missing in ("reason", "password"):
            form = self.form("colleague") | {missing: ""}
            assert staff.post(self.PATH, form).status_code == 422
        assert second_factor.has(colleague)

    def test_a_superuser_s_is_for_superusers(self, staff: Client) -> None:
        root = UserFactory.create(username="root", is_staff=True, is_superuser=True)
        enrolled(root)
        assert staff.post(self.PATH, self.form("root")).status_code == 422
        assert second_factor.has(root)

    @pytest.mark.parametrize("is_active", [True, False])
    def test_who_may_do_more_takes_somebody_who_may_as_much(
        self, cast: Cast, staff: Client, colleague: User, *, is_active: bool
    ) -> None:
        """Also while they are switched off: they may be back tomorrow."""
        User.objects.filter(pk=colleague.pk).update(is_active=is_active)
        rights = Permission.objects.filter(codename__endswith="_user")
        colleague.user_permissions.add(*rights)
        refused = staff.post(self.PATH, self.form("colleague"))
        assert "They may do what you may not" in refused.content.decode()
        assert second_factor.has(colleague)
        cast.staff.user_permissions.add(*rights)
        assert staff.post(self.PATH, self.form("colleague")).status_code == 302
        assert not second_factor.has(colleague)
