"""Single sign-on, against a provider that speaks OpenID Connect as real ones do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import httpx
import pytest
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from accounts.models import Authenticator, Invitation, Membership, User
from accounts.people import invitations, second_factor, sign_in
from accounts.roles import Role
from tests.harness.cast import Cast
from tests.harness.signing_in import code_of, enrolled
from tests.people.conftest import Log
from tests.people.openid_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    key_of,
    serving,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.people.urls_with_single_sign_on"),
]


@pytest.fixture
def provider(cast: Cast, settings: Settings) -> Iterator[OpenIdProvider]:
    User.objects.filter(pk=cast.alice.pk).update(email="alice@example.org")
    with serving(OpenIdProvider()) as served:
        settings.OIDC_ISSUER = served.issuer
        settings.OIDC_RP_CLIENT_ID = CLIENT_ID
        settings.OIDC_RP_CLIENT_SECRET = CLIENT_SECRET
        yield served


def back(client: Client, wanted: str = "", path: str = "/oidc/begin") -> str:
    """Where the provider sends the browser after somebody signed in there."""
    begun = client.get(path, {"next": wanted} if wanted else None)
    assert begun.status_code == 302, begun.content
    there = httpx.get(begun["Location"])
    assert there.headers["Location"].startswith("http://testserver/oidc/callback?")
    return str(there.headers["Location"]).removeprefix("http://testserver")


def sign_on(client: Client, wanted: str = "") -> Any:
    return client.get(back(client, wanted))


def is_in(client: Client) -> bool:
    return client.get("/profile").status_code == 200


def test_it_works(
    cast: Cast, provider: OpenIdProvider, client: Client, log: Callable[[], Log]
) -> None:
    since = log()
    assert "/oidc/begin?next=/files" in client.get("/login?next=/files").content.decode()
    assert sign_on(client, "/files")["Location"] == "/files"
    assert client.get("/profile").context["user"] == cast.alice
    assert since.told() == [("login.succeeded", "success", cast.tenant.pk)]
    expected = ["/authorize", "/jwks", "/token", "/userinfo"]
    assert sorted(set(provider.asked) - {"/.well-known/openid-configuration"}) == expected


def test_the_session_needs_the_provider_no_more(provider: OpenIdProvider, client: Client) -> None:
    sign_on(client)
    provider.asked.clear()
    assert is_in(client)
    assert provider.asked == []


def test_a_code_is_asked_for_all_the_same(
    cast: Cast, provider: OpenIdProvider, client: Client
) -> None:
    authenticator = enrolled(cast.alice)
    assert sign_on(client, "/files")["Location"] == "/login/code?next=%2Ffiles"
    assert not is_in(client)
    client.post("/login/code", {"code": code_of(authenticator)})
    assert is_in(client)


def test_staff_enrol_first(cast: Cast, provider: OpenIdProvider, client: Client) -> None:
    User.objects.filter(pk=cast.staff.pk).update(email="sam@example.org")
    provider.email = "sam@example.org"
    assert sign_on(client)["Location"] == "/login/enrol"
    assert client.get("/admin/").status_code == 302


def sign_on_again(client: Client, path: str) -> Any:
    """Follow the link that a page has for it, to where it leads in the end."""
    link = client.get(path).context["sign_on_again"]
    assert f'<a href="{escape(link)}">' in client.get(path).content.decode()
    return client.get(back(client, path=link))


class TestProof:
    """Alice has no password, and has signed in at the provider this morning."""

    FORM: ClassVar = {"email": "new@example.org"}

    @pytest.fixture(autouse=True)
    def _since_the_morning(self, cast: Cast, provider: OpenIdProvider) -> None:
        provider.proved_at_s = time.time() - 4 * 3600
        cast.alice.set_unusable_password()
        cast.alice.save(update_fields=["password"])

    def changes_address(self, client: Client) -> bool:
        return client.post("/profile/address", self.FORM).status_code == 302

    def test_it_works(self, client: Client) -> None:
        sign_on(client)
        assert not self.changes_address(client)
        assert sign_on_again(client, "/profile")["Location"] == "/profile"
        assert self.changes_address(client)
        assert client.get("/profile").context["sign_on_again"] == ""

    def test_no_sign_in_but_that_asks_there_again(
        self, provider: OpenIdProvider, client: Client
    ) -> None:
        for _ in range(2):
            sign_on(client)
            client.post("/logout")
        sign_on(client)
        assert not self.changes_address(client)
        assert time.time() - provider.proved_at_s > 3600

    def test_what_the_provider_tells_anyway_counts(
        self, provider: OpenIdProvider, client: Client
    ) -> None:
        provider.claims["auth_time"] = int(time.time()) - 20
        sign_on(client)
        assert self.changes_address(client)

    @pytest.mark.parametrize("told", ["old", "nothing", "no number"])
    def test_a_provider_that_does_not_ask_again_proves_nothing(
        self, provider: OpenIdProvider, client: Client, told: str
    ) -> None:
        said = {"old": int(time.time()) - sign_in.PROVED_FOR_S, "no number": str(int(time.time()))}
        provider.claims["auth_time"] = said.get(told)
        sign_on(client)
        page = client.get(sign_on_again(client, "/profile")["Location"]).content.decode()
        assert "does not say that it has asked you again" in page
        assert not self.changes_address(client)

    @pytest.mark.parametrize("ahead_s", [0, 3600])
    def test_it_is_good_for_five_minutes(
        self, provider: OpenIdProvider, client: Client, ahead_s: int
    ) -> None:
        """Also where the provider's clock is an hour ahead."""
        provider.claims["auth_time"] = int(time.time()) + ahead_s
        sign_on(client)
        assert self.changes_address(client)
        session = client.session
        proved_at_s = session["entry"]["proved_at"] - sign_in.PROVED_FOR_S
        session["entry"] = session["entry"] | {"proved_at": proved_at_s}
        session.save()
        assert not self.changes_address(client)

    def test_somebody_else_s_is_theirs(
        self, cast: Cast, provider: OpenIdProvider, client: Client
    ) -> None:
        sign_on(client)
        User.objects.filter(pk=cast.bob.pk).update(email="bob@example.org")
        provider.email = "bob@example.org"
        sign_on_again(client, "/profile")
        assert client.get("/profile").context["user"] == cast.bob

    def test_an_authenticator_takes_one(self, client: Client, cast: Cast) -> None:
        sign_on(client)
        wanted = "/login/enrol?next=/profile/authenticator"
        assert not self.enrols(client, wanted)
        assert sign_on_again(client, wanted)["Location"] == wanted
        assert self.enrols(client, wanted)

    def enrols(self, client: Client, path: str) -> bool:
        secret = client.get(path).context["secret"].replace(" ", "")
        code = code_of(Authenticator(secret=secret))
        return client.post(path, {"code": code}).status_code == 200

    def test_so_does_one_that_has_to_be(self, cast: Cast, client: Client) -> None:
        cast.tenant.requires_totp = True
        cast.tenant.save(update_fields=["requires_totp"])
        path = sign_on(client, "/files")["Location"]
        assert path == "/login/enrol?next=%2Ffiles"
        assert not self.enrols(client, path)
        assert sign_on_again(client, path)["Location"] == path
        assert self.enrols(client, path)
        assert is_in(client)

    def test_replacing_it_takes_no_code_in_between(self, cast: Cast, client: Client) -> None:
        authenticator = enrolled(cast.alice)
        sign_on(client)
        client.post("/login/code", {"code": code_of(authenticator)})
        again = sign_on_again(client, "/profile/authenticator")
        assert client.get(again["Location"])["Location"] == "/profile/authenticator"
        assert client.post("/profile/authenticator/remove").status_code == 302
        assert not second_factor.has(cast.alice)


def test_who_was_invited_becomes_somebody(
    cast: Cast, provider: OpenIdProvider, client: Client
) -> None:
    provider.email = "Dora@example.org"
    invitations.invite(cast.tenant, "dora@example.org", Role.VIEWER, by=None, own_role=Role.ADMIN)
    assert sign_on(client)["Location"] == "/"
    made = Membership.objects.get(user__email="dora@example.org")
    assert (made.tenant, made.role) == (cast.tenant, "viewer")
    assert not made.user.has_usable_password()
    assert Invitation.objects.get().accepted_by == made.user


def test_somebody_who_is_here_joins_only_by_their_own_wish(
    cast: Cast, provider: OpenIdProvider, client: Client
) -> None:
    invite = invitations.invite
    invite(cast.other_tenant, provider.email, Role.ADMIN, by=None, own_role=Role.ADMIN)
    assert sign_on(client)["Location"] == "/"
    assert not Membership.objects.filter(user=cast.alice, tenant=cast.other_tenant).exists()
    assert Invitation.objects.pending().exists()


REFUSED: dict[str, Callable[[OpenIdProvider], object]] = {
    "a stranger": lambda p: setattr(p, "email", "nobody@example.org"),
    "no address": lambda p: setattr(p, "email", ""),
    "an unproved address": lambda p: setattr(p, "is_verified", False),
    "one that only seems proved": lambda p: setattr(p, "is_verified", "false"),
    "another key": lambda p: setattr(p, "signs_with", key_of("somebody else")),
    "another audience": lambda p: p.claims.update(aud="another site"),
    "another party": lambda p: p.claims.update(aud=[CLIENT_ID, "b"], azp="b"),
    "another issuer": lambda p: p.claims.update(iss="http://127.0.0.1:1"),
    "another nonce": lambda p: p.claims.update(nonce="x"),
    "no nonce": lambda p: p.claims.update(nonce=None),
    "an old token": lambda p: p.claims.update(exp=1),
    "a token without end": lambda p: p.claims.update(exp=None),
    "somebody else's claims": lambda p: p.userinfo.update(sub="subject-2"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses(
    provider: OpenIdProvider, client: Client, what: str, log: Callable[[], Log]
) -> None:
    path, since, people = back(client), log(), User.objects.count()
    REFUSED[what](provider)
    assert client.get(path)["Location"] == "/login"
    assert not is_in(client)
    assert since.told() == [("login.failed", "failure", None)]
    assert User.objects.count() == people


def test_it_refuses_who_is_switched_off(
    cast: Cast, provider: OpenIdProvider, client: Client
) -> None:
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert sign_on(client)["Location"] == "/login"


def test_a_callback_is_good_once_and_where_it_began(
    provider: OpenIdProvider, client: Client
) -> None:
    path = back(client)
    assert Client().get(path)["Location"] == "/login"
    assert client.get(path)["Location"] == "/"
    client.post("/logout")
    assert client.get(path)["Location"] == "/login"
    assert not is_in(client)


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x&code=y", "?error=access_denied&state=x"]
)
def test_an_odd_callback_is_no_sign_in(
    provider: OpenIdProvider, client: Client, query: str
) -> None:
    back(client)
    assert client.get(f"/oidc/callback{query}")["Location"] == "/login"


def test_it_never_leads_to_another_site(provider: OpenIdProvider, client: Client) -> None:
    assert sign_on(client, "https://evil.example/")["Location"] == "/"


def test_nobody_is_made_where_registration_is_off(
    cast: Cast, provider: OpenIdProvider, client: Client, settings: Settings
) -> None:
    settings.REGISTRATION = "off"
    provider.email = "dora@example.org"
    invitations.invite(cast.tenant, "dora@example.org", Role.VIEWER, by=None, own_role=Role.ADMIN)
    assert sign_on(client)["Location"] == "/login"


@pytest.mark.parametrize("like", ["s\u0131d@example.org", "\u017fid@example.org"])
@pytest.mark.parametrize("is_invited", [True, False])
def test_an_address_that_upper_case_makes_the_same_is_another(
    cast: Cast, provider: OpenIdProvider, client: Client, like: str, *, is_invited: bool
) -> None:
    own, provider.email = "sid@example.org", like
    if is_invited:
        invitations.invite(cast.tenant, own, Role.ADMIN, by=None, own_role=Role.ADMIN)
    else:
        User.objects.filter(pk=cast.alice.pk).update(email=own)
    assert sign_on(client)["Location"] == "/login"
    assert not is_in(client)


def test_a_provider_that_is_away_stops_no_password(
    cast: Cast, client: Client, settings: Settings
) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:1"
    assert client.get("/oidc/begin").status_code == 503
    form = {"username": "alice", "password": "correct horse battery staple"}
    assert client.post("/login", form).status_code == 302
