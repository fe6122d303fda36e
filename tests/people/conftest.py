from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from unittest.mock import patch

import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from pytest_django import Settings

from accounts.models import AuditRecord
from accounts.people import mail

_LINK = re.compile(r"http://localhost:\d+(/\S+)")


@dataclass
class PostOffice:
    """A real SMTP server, and what was handed in there; ``open`` lets committed mail go."""

    open: Callable[..., AbstractContextManager[Any]]
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def mail_to(self, address: str) -> EmailMessage:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            found = [mail for mail in self.mails if mail["To"] == address]
            if found:
                return found[-1]
            time.sleep(0.02)
        pytest.fail(f"no mail to {address}: {self.mails}")

    def link_to(self, address: str) -> str:
        """The path of the link in the last mail to that address."""
        found = _LINK.findall(self.mail_to(address).get_content())
        return str(found[-1])


@pytest.fixture
def post_office(
    settings: Settings, django_capture_on_commit_callbacks: Callable[..., Any]
) -> Iterator[PostOffice]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    office = PostOffice(lambda: django_capture_on_commit_callbacks(execute=True))
    controller = Controller(office, hostname="127.0.0.1", port=port)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.MAIL_IS_SET_UP = True
    controller.start()
    # Carriers of its own: what is still on its way would get into the next test's office.
    with ThreadPoolExecutor(2) as carriers, patch.object(mail, "_CARRIERS", carriers):
        yield office
    controller.stop()


@dataclass(frozen=True)
class Log:
    """What the audit log has got since the test began."""

    before: int

    def told(self) -> list[tuple[str, str, str | None]]:
        """Event, outcome and tenant of each record since, the oldest first."""
        records = AuditRecord.objects.order_by("xid", "id")[self.before :]
        return [(each.event_type, each.outcome, each.tenant_id) for each in records]

    @property
    def events(self) -> list[str]:
        return [event for event, _, _ in self.told()]


@pytest.fixture
def log(db: None) -> Callable[[], Log]:
    """Begin to look at the audit log."""
    assert connection.vendor == "postgresql"
    return lambda: Log(AuditRecord.objects.count())
