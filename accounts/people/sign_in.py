"""Signing in: the password (or the provider's word) first, then a code where one is needed.

In between the session has its person, but nothing takes them for known: see ``gate``.
"""

from __future__ import annotations

import django_otp
from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from accounts import actor
from accounts.audit_events import AuditEvent, Outcome
from accounts.models import User
from accounts.people import audit_tenant, second_factor, sessions
from accounts.people.second_factor import Verdict

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_LONGEST_NAME = 150
PROVED_FOR_S = 300


def begin(request: HttpRequest, user: User, *, by: str, proved_at_s: float | None = None) -> None:
    """Start the session of somebody who has proved who they are: just now, or at ``proved_at_s``.

    Who is signed in elsewhere comes in without a question, and has proved nothing today.
    """
    with transaction.atomic():
        auth.login(request, user, backend=_BACKEND)
        if proved_at_s is not None:
            sessions.note_proof(request, proved_at_s)
        identify(user)
        factor = "none"
        if second_factor.has(user):
            factor = "asked for"
        elif second_factor.is_required(user):
            factor = "to be enrolled"
        details = {"by": by, "second_factor": factor}
        audit_tenant.record(AuditEvent.LOGIN_SUCCEEDED, user, details=details)


def identify(user: User) -> None:
    kind = actor.Kind.STAFF if user.is_staff else actor.Kind.USER
    actor.identify(kind, str(user.pk), user.get_username())


def candidate(request: HttpRequest) -> User | None:
    """The person of this session, though they may have yet to prove their second factor."""
    user = auth.get_user(request)
    return user if isinstance(user, User) else None


def prove(request: HttpRequest, user: User, code: str) -> Verdict:
    """Let the session be its person's where ``code`` is right."""
    identify(user)
    verdict = second_factor.verify(user, code)
    if verdict.authenticator:
        _verified(request, user)
    return verdict


def enrol(request: HttpRequest, user: User, secret: str, code: str) -> list[str] | None:
    """Enrol an authenticator: the code that shows it works proves the second factor as well."""
    identify(user)
    codes = second_factor.enrol(request, user, secret, code)
    if codes is not None:
        _verified(request, user)
    return codes


def _verified(request: HttpRequest, user: User) -> None:
    request.user = user
    django_otp.login(request, user.authenticator)
    request.session.cycle_key()


def is_proved(request: HttpRequest, user: User, password: str) -> bool:
    """Ask again before something serious: by password, or by a proof a moment ago without one.

    Wrong passwords count as they do at the sign-in.
    """
    if not user.has_usable_password():
        return has_just_proved(request)
    name = user.get_username()
    return auth.authenticate(request, username=name, password=password) == user


def has_just_proved(request: HttpRequest) -> bool:
    return sessions.proved_s_ago(request) < PROVED_FOR_S


def note_failure(name: str, *, is_locked: bool) -> None:
    """Record a failed sign-in; a name of nobody's is in the installation's own log."""
    name = name.encode("utf-8", "replace").decode().replace("\0", "")[:_LONGEST_NAME]
    event = AuditEvent.LOGIN_LOCKED if is_locked else AuditEvent.LOGIN_FAILED
    outcome = Outcome.DENIED if is_locked else Outcome.FAILURE
    audit_tenant.record_stranger(event, name, outcome)


def note_end(request: HttpRequest | None, **_: object) -> None:
    """Record that somebody signed out."""
    user = candidate(request) if request else None
    if request is None or user is None:
        return
    identify(user)
    audit_tenant.record(AuditEvent.SESSION_ENDED, user, sessions.current_id(request))
