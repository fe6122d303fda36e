"""Who asks: keys of all roles, people of all roles, and those who are nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from accounts.roles import ROLE_SCOPES, SCOPES, Role
from accounts.web.visitor import _LOOKING
from tests.factories import ApiKeyFactory, MembershipFactory, UserFactory
from tests.harness.api_client import text_of
from tests.harness.signing_in import sign_in
from tests.isolation.routes import Kind
from tests.isolation.things import Side


@dataclass(frozen=True)
class Actor:
    """``speaks_to`` are the routes that know them; to all others they are strangers."""

    name: str
    side: Side
    client: Client
    scopes: frozenset[str]
    speaks_to: tuple[Kind, ...] = ()
    reads_everything: bool = False
    is_whose: bool = False
    """Whether they are the person of their side, whose sessions are theirs alone."""
    lacks: str = ""
    """The one scope that a key of theirs is without: asked only where that is wanted."""

    def ask(self, method: str, path: str, form: bytes = b"") -> Any:
        """Send a request as this actor; what it answers with leaves no cookie behind."""
        asking = Client(headers=dict(_SENT), raise_request_exception=False)
        asking.defaults.update(self.client.defaults)
        asking.cookies.load(self.client.cookies)
        if path.startswith("/v1/"):
            return asking.generic(method, path, b"{}", "application/json")
        return asking.generic(method, path, form, "application/x-www-form-urlencoded")


# One request id, so that answers can be compared byte by byte.
_SENT = {"X-Request-ID": "matrix"}


def _key(name: str, side: Side, *, is_usable: bool = True, lacks: str = "", **fields: Any) -> Actor:
    key = ApiKeyFactory.create(tenant=side.tenant, **fields)
    client = Client(headers={"Authorization": f"Bearer {text_of(key)}"})
    known_to = (Kind.API,) if is_usable else ()
    return Actor(name, side, client, _scopes_of(key), known_to, lacks=lacks)


def _scopes_of(key: ApiKey) -> frozenset[str]:
    return key.scopes


def _person(name: str, side: Side, user: User, scopes: frozenset[str], **more: Any) -> Actor:
    client = sign_in(Client(), user)
    return Actor(name, side, client, scopes, (Kind.PAGE, Kind.PERSON), **more)


def _member(side: Side, role: str, name: str = "") -> Actor:
    user = MembershipFactory.create(tenant=side.tenant, role=role).user
    return _person(name or f"a member: {role}", side, user, ROLE_SCOPES[role])


def api_actors(own: Side, other: Side) -> Iterator[Actor]:
    """For each scope there is a key with all but that."""
    past = timezone.now() - timedelta(seconds=1)
    yield _key("another tenant's admin key", other, role=Role.ADMIN)
    for role in Role.values:
        yield _key(f"a key: {role}", own, role=role)
    for scope in sorted(SCOPES):
        others = [each for each in SCOPES if each != scope]
        name = f"a key without {scope}"
        yield _key(name, own, lacks=scope, role=Role.ADMIN, scopes=others)
    unusable: dict[str, Any] = {"role": Role.ADMIN, "is_usable": False}
    yield _key("a revoked key", own, revoked_at=timezone.now(), **unusable)
    yield _key("an expired key", own, expires_at=past, **unusable)
    yield _key("a key from elsewhere", own, allowed_ips=["192.0.2.0/24"], **unusable)
    yield _key("a key whose creator left", own, follows_creator=True, **unusable)
    yield from _strangers(own)
    yield _member(other, Role.ADMIN, "another tenant's admin in a browser")
    yield _member(own, Role.ADMIN, "an admin in a browser")


def page_actors(own: Side, other: Side) -> Iterator[Actor]:
    yield _member(other, Role.ADMIN, "another tenant's admin")
    themselves = own.admin.user
    yield _person("themselves", own, themselves, ROLE_SCOPES[Role.ADMIN], is_whose=True)
    for role in Role.values:
        yield _member(own, role)
    staff = UserFactory.create(is_staff=True)
    yield _person("staff", own, staff, _LOOKING, reads_everything=True)
    yield from _strangers(own)
    deactivated = _member(own, Role.ADMIN)
    User.objects.filter(pk=deactivated.client.session["_auth_user_id"]).update(is_active=False)
    yield Actor("somebody deactivated", own, deactivated.client, frozenset())
    key = _key("an admin key", own, role=Role.ADMIN)
    yield Actor(key.name, own, key.client, frozenset())


def _strangers(side: Side) -> Iterator[Actor]:
    yield Actor("nobody", side, Client(), frozenset())
    unverified = Client()
    unverified.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    yield Actor("staff without a second factor", side, unverified, frozenset())
