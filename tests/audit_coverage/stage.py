"""A tenant, those who act in it, and the requests that they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.models import Tenant, User
from accounts.roles import Role
from tests.factories import ApiKeyFactory, MembershipFactory, TenantFactory, UserFactory
from tests.harness.api_client import text_of
from tests.harness.media import Samples
from tests.harness.signing_in import sign_in
from tests.savepoint import undone

REASON = "request 4711"
# Its second factor is there, so that pages that need one know who it is.
BY = ("key", "member", "root", "nobody")


@dataclass(frozen=True)
class Ask:
    """One request that is right, and what its record has to say."""

    path: str
    body: Any = None
    about: str | None = None
    """The id of what it happens to; None where the answer tells it."""
    of_tenant: bool = True
    by: str = ""
    actor: str = ""
    content_type: str = ""
    records: int = 1


@dataclass
class Stage:
    """``member`` is an admin of the tenant, ``root`` a superuser; ``weak`` ones may do nothing."""

    media: Samples
    tenant: Tenant = field(default_factory=lambda: TenantFactory.create(name="studio"))
    is_weak: bool = False

    def __post_init__(self) -> None:
        narrowed = {"scopes": ["usage:read"]} if self.is_weak else {}
        self.key = ApiKeyFactory.create(tenant=self.tenant, role=Role.ADMIN, **narrowed)
        role = Role.VIEWER if self.is_weak else Role.ADMIN
        self.member: User = MembershipFactory.create(tenant=self.tenant, role=role).user
        User.objects.filter(pk=self.member.pk).update(email=f"{self.member.pk}@example.org")
        self.member.refresh_from_db()
        self.root: User = UserFactory.create(is_staff=True, is_superuser=not self.is_weak)
        self.clients: dict[str, Client] = {
            "key": Client(headers={"Authorization": f"Bearer {text_of(self.key)}"}),
            "member": sign_in(Client(), self.member),
            "root": sign_in(Client(), self.root),
            "nobody": Client(),
        }
        for client in self.clients.values():
            client.raise_request_exception = False

    def browser(self, by: str) -> Client:
        return self.clients[by]

    @contextmanager
    def case(self) -> Iterator[None]:
        """Afterwards the rows, the browsers and what is known of them here are as before."""
        try:
            with undone(*self.clients.values()):
                yield
        finally:
            for row in (self.tenant, self.member, self.root):
                row.refresh_from_db()

    def send(self, method: str, ask: Ask, request_id: str, **headers: str) -> Any:
        client = self.clients[sender_of(ask)]
        sent = {"X-Request-ID": request_id, **headers}
        call: Callable[..., Any] = getattr(client, method.lower())
        body = {} if ask.body is None else ask.body
        is_form = isinstance(body, dict) and any(hasattr(each, "read") for each in body.values())
        is_json = ask.path.startswith("/v1/") and not is_form
        kind = ask.content_type or ("application/json" if is_json else "")
        return call(ask.path, body, headers=sent, **({"content_type": kind} if kind else {}))


def sender_of(ask: Ask) -> str:
    if ask.by:
        return ask.by
    if ask.path.startswith("/v1/"):
        return "key"
    return "root" if ask.path.startswith("/admin/") else "member"


ACTORS = {"key": "api_key", "member": "user", "root": "staff", "nobody": "anonymous"}


def actor_of(ask: Ask) -> str:
    return ask.actor or ACTORS[sender_of(ask)]
