"""Mail to people. It is sent beside the request, so that its time tells nobody whether it was."""

from __future__ import annotations

import logging
import smtplib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import stamina
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

_CARRIERS = ThreadPoolExecutor(2, thread_name_prefix="mail")


def post(template: str, to: str, **context: Any) -> None:
    """Send ``mail/<template>.txt``, whose first line is the subject, once this is committed.

    ``context`` is plain values. A server that does not answer is tried again for a minute; what
    it does not take then is in the log, and whoever waits for it asks again.
    """
    context["site"] = settings.PUBLIC_BASE_URL
    transaction.on_commit(lambda: _CARRIERS.submit(_carry, template, to, context))


def _carry(template: str, to: str, context: dict[str, Any]) -> None:
    try:
        subject, _, text = render_to_string(f"mail/{template}.txt", context).partition("\n")
        _send(subject, text.lstrip("\n"), to)
    except Exception:  # nobody asks this thread how it went
        logger.exception("A mail was not sent", extra={"template": template})


@stamina.retry(on=(smtplib.SMTPServerDisconnected, OSError), attempts=5, timeout=60)
def _send(subject: str, text: str, to: str) -> None:
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
