"""Sessions of browsers: one that nobody uses ends after a while, and every one in the end.

``entry`` in a session says when, and from where, its person signed in: what they are shown.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import actor
from accounts.audit_events import AuditEvent
from accounts.models import BrowserSession, User
from accounts.people import audit_tenant
from ffapi_site.lib.ids import new_id

_ENTRY = "entry"
_KEY = re.compile(r"[a-z0-9]{32}")
_SEEN_EVERY = timedelta(seconds=60)


class SessionStore(db.SessionStore):
    row: BrowserSession | None = None

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def _validate_session_key(self, key: str | None) -> bool:
        """Look no other text up: PostgreSQL takes no NUL."""
        return bool(key and _KEY.fullmatch(key))

    def _get_session_from_db(self) -> BrowserSession | None:
        self.row = super()._get_session_from_db()  # type: ignore[misc]  # not in the stubs
        return self.row

    def cycle_key(self) -> None:
        """Under its new key it is the same session, by the same public id: the row is renamed.

        Raises ``SessionInterrupted`` where another request has renamed or ended it meanwhile.
        """
        if _ENTRY not in self:
            super().cycle_key()
            return
        old, new = self.session_key, self._get_new_session_key()  # type: ignore[attr-defined]
        if not BrowserSession.objects.filter(session_key=old).update(session_key=new):
            raise _interrupted()
        self._session_key = new
        self.modified = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's signature
        """Django tries other keys for ever; what is there already may be the public id as well."""
        try:
            super().save(must_create)
        except CreateError as error:
            if _ENTRY in self:
                raise _interrupted() from error
            raise

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        entry, now = data.get(_ENTRY, {}), timezone.now()
        started_at = datetime.fromtimestamp(entry.get("at", now.timestamp()), UTC)
        return BrowserSession(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=_end(started_at, now),
            public_id=entry.get("id"),
            user_id=data.get(SESSION_KEY),
            ip_address=entry.get("ip_address", ""),
            user_agent=entry.get("user_agent", ""),
            started_at=started_at,
            seen_at=now,
        )


def _interrupted() -> SessionInterrupted:
    return SessionInterrupted("Another request has changed or ended this session meanwhile.")


def _end(started_at: datetime, now: datetime) -> datetime:
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    return min(started_at + timedelta(seconds=settings.SESSION_COOKIE_AGE), now + idle)


def note_entry(request: HttpRequest, **_: Any) -> None:
    """Write into a session that has just got its person since when it is theirs."""
    who = actor.current()
    request.session[_ENTRY] = {
        "id": new_id("session"),
        "at": time.time(),
        "ip_address": who.ip_address,
        "user_agent": who.user_agent,
    }


def note_proof(request: HttpRequest, proved_at_s: float) -> None:
    """Write down when the session's person proved who they are, where they did so elsewhere.

    A clock there that is ahead of ours makes it no younger than now.
    """
    proof = {"proved_at": min(proved_at_s, time.time())}
    request.session[_ENTRY] = request.session[_ENTRY] | proof


def proved_s_ago(request: HttpRequest) -> float:
    """How long ago the session's person proved who they are: at the sign-in, or before it."""
    entry = request.session.get(_ENTRY, {})
    return time.time() - float(entry.get("proved_at", entry.get("at", 0)))


def note_seen(request: HttpRequest) -> None:
    """Move the end of the request's session on, at most once a minute."""
    store = request.session
    row, now = getattr(store, "row", None), timezone.now()
    if row is None or store.is_empty() or row.seen_at > now - _SEEN_EVERY:
        return
    own = BrowserSession.objects.filter(session_key=row.session_key)
    own.update(seen_at=now, expire_date=_end(row.started_at, now))


def live(user: User) -> QuerySet[BrowserSession]:
    return BrowserSession.objects.filter(user=user, expire_date__gt=timezone.now())


def current_id(request: HttpRequest) -> str:
    return str(request.session.get(_ENTRY, {}).get("id", ""))


def revoke(user: User, public_id: str) -> bool:
    """End one of the person's sessions; tell whether there was such a one."""
    with transaction.atomic():
        if not live(user).filter(public_id=public_id).delete()[0]:
            return False
        audit_tenant.record(AuditEvent.SESSION_REVOKED, user, public_id)
    return True


def revoke_others(request: HttpRequest, user: User) -> int:
    """End all the person's sessions but the one that asks; give their number."""
    with transaction.atomic():
        number = end_all(user, but=current_id(request))
        audit_tenant.record(AuditEvent.SESSION_REVOKED, user, "", details={"others": number})
    return number


def end_all(user: User, *, but: str = "") -> int:
    return BrowserSession.objects.filter(user=user).exclude(public_id=but).delete()[0]


def forget_old() -> int:
    """Delete the sessions that have ended; returns how many."""
    return BrowserSession.objects.filter(expire_date__lt=timezone.now()).delete()[0]
