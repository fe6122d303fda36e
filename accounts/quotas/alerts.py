"""Eighty and a hundred per cent: noted in the transaction that reaches them, then told."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Membership, QuotaAlert
from accounts.quotas import hooks
from accounts.quotas.catalogue import QUOTAS, STORAGE
from accounts.quotas.status import Standing
from accounts.roles import Role
from ffapi_site.lib.backoff import doubled_s
from ffapi_site.lib.database_away import database_away

logger = logging.getLogger(__name__)

SUSPENDED = "suspended"
_BATCH = 20
_FAILURES = 5  # in a row; each may wait for the server's time-out
_TRIES = 8
_FIRST_PAUSE = timedelta(minutes=5)  # doubles: the last try comes after half a day


def note(tenant_id: str, standing: Standing, *, percent: int) -> None:
    alert = QuotaAlert.objects.create(
        tenant_id=tenant_id,
        subject=standing.subject,
        name=standing.quota.name,
        percent=percent,
        maximum=(standing.limit or 0) * standing.quota.scale,
        taken=standing.used + standing.reserved,
        resets_at=standing.resets_at,
    )
    hooks.announce(alert)


def note_suspension(tenant_id: str, violations: int, maximum: int) -> None:
    alert = QuotaAlert.objects.create(
        tenant_id=tenant_id,
        subject=tenant_id,
        name=SUSPENDED,
        percent=100,
        maximum=maximum,
        taken=violations,
    )
    hooks.announce(alert)


EVENTS = ("quota.warning", "quota.exceeded", "quota.suspended", "storage.quota_exceeded")


def event_of(alert: QuotaAlert) -> str:
    """What an event that tells of it is called."""
    if alert.name == SUSPENDED:
        return "quota.suspended"
    if alert.percent < 100:
        return "quota.warning"
    return "storage.quota_exceeded" if alert.name == STORAGE else "quota.exceeded"


def tell(alert: QuotaAlert) -> dict[str, Any]:
    """What an event says of it, in the quota's own unit."""
    scale = QUOTAS[alert.name].scale if alert.name in QUOTAS else 1
    return {
        "tenant": alert.tenant_id,
        "api_key": alert.subject if alert.subject != alert.tenant_id else None,
        "quota": alert.name,
        "percent": alert.percent,
        "limit": alert.maximum // scale,
        "taken": round(alert.taken / scale, 3),
        "resets_at": alert.resets_at.isoformat() if alert.resets_at else None,
    }


def mail_due() -> int:
    """Mail the alerts that are not mailed yet to the tenants' admins; give their number.

    One that could not be mailed is tried again later, and given up after some tries; it stops
    none of the others. Past a few in a row it is the mail server that is away.
    """
    sent = failed = 0
    while sent < _BATCH and failed < _FAILURES:
        is_sent = _mail_next()
        if is_sent is None:
            break
        sent, failed = (sent + 1, 0) if is_sent else (sent, failed + 1)
    return sent


def _mail_next() -> bool | None:
    """Tell whether the next one was mailed; None where none is due.

    In no transaction: a mail server may take its time, and a row that is locked meanwhile would
    hold up whoever changes the tenant. A process that dies in between has used up one try.
    """
    alert = _take_next()
    if alert is None:
        return None
    try:
        _mail(alert)
    except Exception as error:  # of the server, of an address, of what nobody thought of
        if database_away(error):
            raise
        logger.exception("An alert failed", extra={"alert": alert.pk})
    else:
        QuotaAlert.objects.filter(pk=alert.pk).update(mailed_at=Now())
        return True
    extra = {"alert": alert.pk, "tries": alert.mail_tries}
    if alert.mail_tries < _TRIES:
        logger.warning("An alert could not be mailed", extra=extra)
    else:
        logger.error("An alert is given up: it could not be mailed", extra=extra)
    return False


def _take_next() -> QuotaAlert | None:
    """Take the next one for this try; whoever else looks finds it due after the pause only."""
    is_due = Q(next_mail_at=None) | Q(next_mail_at__lte=Now())
    rows = QuotaAlert.objects.filter(is_due, mailed_at=None, mail_tries__lt=_TRIES)
    rows = rows.select_related("tenant").order_by("pk")
    with transaction.atomic():
        alert = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if alert is not None:
            alert.mail_tries += 1
            pause = timedelta(seconds=doubled_s(_FIRST_PAUSE.total_seconds(), alert.mail_tries))
            QuotaAlert.objects.filter(pk=alert.pk).update(
                mail_tries=alert.mail_tries, next_mail_at=Now() + pause
            )
    return alert


def _mail(alert: QuotaAlert) -> None:
    admins = Membership.objects.filter(tenant=alert.tenant, role=Role.ADMIN, user__is_active=True)
    addresses = [each for each in admins.values_list("user__email", flat=True) if each]
    if not addresses:
        return
    name = alert.tenant.name
    if alert.name == SUSPENDED:
        subject = f"{name} is suspended"
        text = (
            f"{alert.taken} requests of {name} went past a quota today; the plan "
            f"allows fewer than {alert.maximum}. Nothing new is taken until the operators lift "
            "the suspension; what is there can still be read."
        )
    else:
        quota = QUOTAS[alert.name]
        subject = f"{name}: {alert.percent} % of {quota.name}"
        whose = f"The key {alert.subject}" if alert.subject != alert.tenant_id else name
        taken, maximum = alert.taken / quota.scale, alert.maximum / quota.scale
        text = f"{whose} has taken {taken:g} of {maximum:g} {quota.unit} ({quota.name})."
        if alert.resets_at:
            text += f" It begins anew at {alert.resets_at:%Y-%m-%d %H:%M} UTC."
    send_mail(subject, f"{text}\n\n{settings.PUBLIC_BASE_URL}/usage\n", None, addresses)
