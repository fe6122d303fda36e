"""Forgotten and new passwords."""

from __future__ import annotations

from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.http import HttpRequest
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import audit, rate_limit
from accounts.audit_events import AuditEvent
from accounts.models import User
from accounts.people import audit_tenant, links, mail, sessions
from accounts.rate_limit import Limit
from ffapi_site.lib.client_address import address_block
from ffapi_site.lib.crypto import digest

_FROM_AN_ADDRESS = Limit(10, window_s=rate_limit.LONGEST_WINDOW_S, name="mail")
_TO_A_PERSON = Limit(3, window_s=rate_limit.LONGEST_WINDOW_S, name="mail")


def may_be_mailed(request: HttpRequest, email: str) -> bool:
    """Count a mail that a stranger asks for; raises ``TooManyRequests`` for who asks too often.

    Too many to one address are not sent, and nobody is told: that would tell of the others.
    """
    rate_limit.count(f"mail:from:{address_block(request)}", _FROM_AN_ADDRESS)
    subject = digest(f"mail:{email.casefold()}")
    return rate_limit.take(f"mail:to:{subject}", _TO_A_PERSON).is_granted


def request_reset(request: HttpRequest, email: str) -> None:
    """Mail a link to whoever has that address and a password; nobody learns whether they do."""
    is_sent = may_be_mailed(request, email)
    with transaction.atomic():
        audit.record(AuditEvent.PASSWORD_RESET_REQUESTED, None, personal={"email": email})
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if is_sent and user and user.has_usable_password():
            whose = urlsafe_base64_encode(force_bytes(user.pk))
            link = links.address(
                "password_reset_confirm", whose, default_token_generator.make_token(user)
            )
            mail.post("password_reset", user.email, username=user.username, link=link)


def note_reset(user: User) -> None:
    _end_sessions_and_record(user, AuditEvent.PASSWORD_RESET)


def change(request: HttpRequest, user: User, password: str) -> None:
    """Set another password; the person's other sessions end."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        but = sessions.current_id(request)
        _end_sessions_and_record(user, AuditEvent.PASSWORD_CHANGED, but=but)


def _end_sessions_and_record(user: User, event: AuditEvent, *, but: str = "") -> None:
    sessions.end_all(user, but=but)
    audit_tenant.record(event, user)
