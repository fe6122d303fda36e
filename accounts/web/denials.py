"""Refused requests, as the audit log tells of them: one record each, and so many at most."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import actor, audit, rate_limit
from accounts.audit_events import AuditEvent, Outcome
from accounts.keys import Refusal
from accounts.rate_limit import Limit
from ffapi_site.lib import scope
from ffapi_site.lib.client_address import address_block

logger = logging.getLogger(__name__)

_ATTRIBUTE = "_ffapi_refused_key"
_REFUSALS = (401, 403)
# A flood says nothing that its first records don't.
_OF_ONE = Limit(30, window_s=600, name="denials")
_OF_ALL = Limit(600, window_s=rate_limit.LONGEST_WINDOW_S, name="denials")


def note_refused(request: HttpRequest, refusal: Refusal) -> None:
    """Say why a request's key is none, for the record of it."""
    setattr(request, _ATTRIBUTE, refusal)


@dataclass(frozen=True)
class Denial:
    """Whose log a refused request goes to, whose flood it would be part of, and why it was."""

    tenant_id: str | None
    subject: str
    details: dict[str, Any]

    @classmethod
    def of(cls, request: HttpRequest, status: int) -> Denial:
        found = request.resolver_match
        facts = {"status": status, "method": request.method, "route": found.route if found else ""}
        refusal: Refusal | None = getattr(request, _ATTRIBUTE, None)
        if refusal is None:
            entered, who = scope.current(), actor.current()
            tenant_id = None if entered in {scope.NOBODY, scope.EVERY_TENANT} else entered
            subject = f"{who.kind}:{who.id}" if who.id else f"address:{address_block(request)}"
            return cls(tenant_id, subject, facts)
        facts["reason"] = refusal.reason
        if refusal.key is None:
            return cls(None, f"address:{address_block(request)}", facts)
        facts["api_key"] = refusal.key.pk
        return cls(refusal.key.tenant_id, refusal.key.pk, facts)


class DenialMiddleware:
    """Record each answer that says 401 or 403.

    What is known of a key and what is unknown costs the same statements: nobody learns from the
    time of an answer which ids there are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code in _REFUSALS:
            try:
                _record(Denial.of(request, response.status_code))
            except (OperationalError, InterfaceError):
                logger.warning("a refused request is not recorded: the database is away")
        return response


def _record(denial: Denial) -> None:
    everybodys = f"denied:in:{denial.tenant_id or 'nowhere'}"
    is_told = (
        rate_limit.take(f"denied:{denial.subject}", _OF_ONE).is_granted
        and rate_limit.take(everybodys, _OF_ALL).is_granted
    )
    if is_told:
        with scope.within(denial.tenant_id or scope.NOBODY):
            audit.record(
                AuditEvent.REQUEST_DENIED,
                denial.tenant_id,
                outcome=Outcome.DENIED,
                details=denial.details,
            )
