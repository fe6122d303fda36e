"""The second factor at sign-in: who needs it, and whether a code is right.

A code is right within one time step of the clock, and once. Wrong ones are counted per person,
over all sessions and addresses: five in a row lock for a quarter of an hour, and twenty a day is
all there are. A recovery code stands in for one, under the same count.
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from urllib.parse import quote, urlencode

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django_otp.oath import TOTP

from accounts.audit_events import AuditEvent, Outcome
from accounts.models import Authenticator, Membership, User
from accounts.people import audit_tenant, mail, recovery, sessions
from ffapi_site.lib import scope

IN_A_ROW = 5
A_DAY = 20
LOCKED_FOR = timedelta(minutes=15)
_DAY = timedelta(days=1)
_STEP_S = 30
_SECRET_BYTES = 20
_CODE = re.compile(r"\d{6}")


@dataclass(frozen=True)
class Verdict:
    """Of a code: the authenticator where it was right; since when none is looked at any more."""

    authenticator: Authenticator | None = None
    locked_until: datetime | None = None
    recovery_codes_left: int | None = None
    """Told where it was one of them."""


def has(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def is_required(user: User) -> bool:
    """Staff need one, and members of tenants that say so."""
    if user.is_staff:
        return True
    with scope.within(scope.EVERY_TENANT):
        strict = Membership.objects.filter(tenant__requires_totp=True, tenant__is_active=True)
        return strict.filter(user=user).exists()


def is_needed(user: User) -> bool:
    return is_required(user) or has(user)


def new_secret() -> str:
    return b32encode(token_bytes(_SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    return b32decode(secret)


def uri(user: User, secret: str) -> str:
    """What the QR code says, as authenticator apps read it (Key Uri Format)."""
    query = urlencode({"secret": secret, "issuer": "FFAPI", "digits": 6, "period": _STEP_S})
    return f"otpauth://totp/{quote(f'FFAPI:{user.get_username()}')}?{query}"


def _step_of(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """Give the time step that ``code`` is right for, later than the last that was used."""
    totp = TOTP(key_of(secret), step=_STEP_S)
    totp.time = now.timestamp()
    digits = code.replace(" ", "")
    if not _CODE.fullmatch(digits) or not digits.isascii():
        return None
    if not totp.verify(int(digits), tolerance=1, min_t=last_step + 1):
        return None
    return int(totp.t())


def enrol(request: HttpRequest, user: User, secret: str, code: str) -> list[str] | None:
    """Make ``secret`` the person's where ``code`` shows that their app has it; else None.

    Gives their new recovery codes. The secret of before, and their other sessions, end.
    """
    with transaction.atomic():
        # The database's: a host whose clock is wrong must not take old codes.
        now: datetime = User.objects.filter(pk=user.pk).values_list(Now(), flat=True).get()
        step = _step_of(secret, code, now, 0)
        if step is None:
            return None
        fresh = {"secret": secret, "last_step": step, "name": "authenticator", "confirmed": True}
        Authenticator.objects.update_or_create(user=user, defaults=fresh)
        sessions.end_all(user, but=sessions.current_id(request))
        audit_tenant.record(AuditEvent.TOTP_ENROLLED, user)
        return recovery.replace(user)


def verify(user: User, code: str) -> Verdict:
    """Look at a code that the person gave, unless they have no tries left."""
    with transaction.atomic():
        own = Authenticator.objects.select_for_update().filter(user=user)
        authenticator = own.annotate(now=Now()).first()
        if authenticator is None:
            return Verdict()
        now: datetime = authenticator.now
        until = authenticator.locked_until
        if until and until > now:
            audit_tenant.record(AuditEvent.TOTP_LOCKED, user, outcome=Outcome.DENIED)
            return Verdict(locked_until=until)
        return _accept(authenticator, code, now) or _refuse(authenticator, now)


def _accept(authenticator: Authenticator, code: str, now: datetime) -> Verdict | None:
    user = authenticator.user
    step = _step_of(authenticator.secret, code, now, authenticator.last_step)
    if step is not None:
        _update(authenticator, last_step=step, failures_in_a_row=0, locked_until=None)
        audit_tenant.record(AuditEvent.TOTP_VERIFIED, user)
        return Verdict(authenticator)
    if recovery.use(user, code):
        _update(authenticator, failures_in_a_row=0, locked_until=None)
        left = recovery.left(user)
        audit_tenant.record(AuditEvent.RECOVERY_CODE_USED, user, details={"left": left})
        return Verdict(authenticator, recovery_codes_left=left)
    return None


def _refuse(authenticator: Authenticator, now: datetime) -> Verdict:
    failed_at = [at for at in authenticator.failed_at if at > now - _DAY] + [now]
    in_a_row = authenticator.failures_in_a_row + 1
    locked_until = None
    if len(failed_at) >= A_DAY:
        locked_until = failed_at[0] + _DAY
    elif in_a_row >= IN_A_ROW:
        locked_until = now + LOCKED_FOR
    _update(
        authenticator,
        failed_at=failed_at,
        failures_in_a_row=0 if locked_until else in_a_row,
        locked_until=locked_until,
    )
    event = AuditEvent.TOTP_LOCKED if locked_until else AuditEvent.TOTP_FAILED
    audit_tenant.record(event, authenticator.user, outcome=Outcome.FAILURE)
    return Verdict(locked_until=locked_until)


def new_recovery_codes(user: User) -> list[str]:
    """Give the person other recovery codes; the old ones end."""
    with transaction.atomic():
        audit_tenant.record(AuditEvent.RECOVERY_CODES_MADE, user)
        return recovery.replace(user)


def remove(user: User) -> None:
    """Take the person's authenticator away, by their own wish."""
    with transaction.atomic():
        _forget(user)
        audit_tenant.record(AuditEvent.TOTP_REMOVED, user)


def refusal_to_reset(user: User, by: User) -> str:
    """Say why a member of staff may not take away the person's authenticator; empty if they may."""
    if user == by:
        return "A second member of staff has to do this for you."
    if by.is_superuser:
        return ""
    # By what was granted, which who is switched off just now has again tomorrow.
    theirs, own = (
        Permission.objects.filter(Q(user=each) | Q(group__user=each)) for each in (user, by)
    )
    if user.is_superuser or theirs.exclude(pk__in=own.values("pk")).exists():
        return "They may do what you may not: ask a superuser to do this for them."
    return ""


def reset(user: User, reason: str) -> None:
    """Take away what the person has lost, on behalf of staff, end their sessions, and tell them.

    The caller sees to it that there is no ``refusal_to_reset``.
    """
    with transaction.atomic():
        _forget(user)
        sessions.end_all(user)
        audit_tenant.record(AuditEvent.TOTP_RESET, user, details={"reason": reason})
        if user.email:
            mail.post("authenticator_reset", user.email, username=user.get_username())


def _forget(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()
    user.recovery_codes.all().delete()


def _update(authenticator: Authenticator, **values: object) -> None:
    Authenticator.objects.filter(pk=authenticator.pk).update(**values)
