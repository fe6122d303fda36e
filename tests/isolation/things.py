"""What an address can name: how a tenant gets one, how it goes, and what is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import models
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import BrowserSession, Invitation, Membership, Tenant
from accounts.roles import Role
from ffapi_site.lib.ids import new_id
from tests.factories import (
    ApiKeyFactory,
    FileFactory,
    JobFactory,
    MembershipFactory,
    TenantFactory,
    UserFactory,
)

MALFORMED = ("x", "' OR 1=1 --")


@dataclass(frozen=True)
class Side:
    """A tenant, one of its people, and a word that stands in everything of theirs."""

    tenant: Tenant
    admin: Membership
    mark: str

    @classmethod
    def create(cls, mark: str) -> Side:
        tenant = TenantFactory.create(name=f"tenant-{mark}")
        user = UserFactory.create(username=f"person-{mark}")
        admin = MembershipFactory.create(tenant=tenant, user=user, role=Role.ADMIN)
        return cls(tenant, admin, mark)


def _plain(row: models.Model) -> str:
    return str(row.pk)


@dataclass(frozen=True)
class Thing:
    """``make`` gives a new row of a side's; one that is never deleted has no ``deleted`` id."""

    make: Callable[[Side], Any]
    random: Callable[[], str]
    name: Callable[[Any], str] = field(default=_plain)
    is_deletable: bool = True

    def ids(self, own: Side, other: Side) -> Iterator[tuple[str, str]]:
        """Ids of all kinds for somebody of ``own``; all but the first name nothing of theirs."""
        yield "own", self.name(self.make(own))
        yield "foreign", self.name(self.make(other))
        yield "random", self.random()
        if self.is_deletable:
            row = self.make(own)
            name = self.name(row)
            row.delete()
            yield "deleted", name
        for number, text in enumerate(MALFORMED):
            yield f"malformed {number}", text


def _random(prefix: str) -> Callable[[], str]:
    return lambda: new_id(prefix)


def _session(side: Side) -> BrowserSession:
    Client().force_login(side.admin.user)
    newest = BrowserSession.objects.filter(user=side.admin.user).order_by("-started_at", "pk")
    return next(each for each in newest if each.public_id)


def _invitation(side: Side) -> Invitation:
    return Invitation.objects.create(
        tenant=side.tenant,
        email=f"{side.mark}-{new_id('x')}@example.org",
        role=Role.VIEWER,
        expires_at=timezone.now() + timedelta(days=1),
    )


THINGS: dict[str, Thing] = {
    "job_id": Thing(
        lambda side: JobFactory.create(tenant=side.tenant, tags=[side.mark]), _random("job")
    ),
    "file_id": Thing(
        lambda side: FileFactory.create(tenant=side.tenant, name=f"{side.mark}.mp4"),
        _random("file"),
    ),
    "key_id": Thing(
        lambda side: ApiKeyFactory.create(tenant=side.tenant, name=f"key of {side.mark}"),
        _random("key"),
    ),
    "record_id": Thing(
        lambda side: audit.record(AuditEvent.FILE_CREATED, side.tenant.pk, f"file_{side.mark}"),
        _random("audit"),
        name=str,
        is_deletable=False,
    ),
    "invitation_id": Thing(_invitation, _random("invitation")),
    "membership_id": Thing(
        lambda side: MembershipFactory.create(tenant=side.tenant), lambda: "987654321"
    ),
    "session_id": Thing(_session, _random("session"), name=lambda session: session.public_id),
}
# Parameters that name nothing of anybody's, each with a value that exists.
FIXED = {
    "name": "transcode",
    "operation": "transcode",
    "kind": "video",
    "token": "x",
    "uidb64": "x",
}
