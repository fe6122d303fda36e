"""Staff act for a tenant that is not theirs: for a reason, for a while, and it is written down."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.http import HttpRequest

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import Tenant
from ffapi_site.lib import scope
from ffapi_site.lib.problems import Conflict, invalid

LONGEST_S = 3600
_IN_SESSION = "acting"
_REASON_LENGTH = 200


@dataclass(frozen=True)
class Acting:
    """The leave of one session; it ends by itself."""

    tenant_id: str
    reason: str
    until_s: float

    @property
    def is_over(self) -> bool:
        return self.until_s <= time.time()

    @property
    def until(self) -> datetime:
        return datetime.fromtimestamp(self.until_s, tz=UTC)


def current(request: HttpRequest) -> Acting | None:
    """Give what the session may do beyond looking; what is over is ended here."""
    acting = _of(request)
    if acting is not None and acting.is_over:
        stop(request, why="its time was up")
        return None
    return acting


def start(request: HttpRequest, tenant: Tenant, reason: str) -> None:
    """Raises `Invalid` without a reason, `Conflict` while the session acts for another tenant."""
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= _REASON_LENGTH:
        raise invalid("/reason", f"say in 1 to {_REASON_LENGTH} characters why", "required")
    if _of(request) is not None:
        raise Conflict("stop acting for the other tenant first", code="already_acting")
    acting = Acting(tenant.pk, reason, time.time() + LONGEST_S)
    told = {"reason": reason, "until": acting.until.isoformat(timespec="seconds")}
    with scope.within(scope.EVERY_TENANT), transaction.atomic():
        request.session[_IN_SESSION] = asdict(acting)
        request.session.save()
        audit.record(AuditEvent.TENANT_ENTERED, tenant.pk, tenant.pk, details=told)


def stop(request: HttpRequest, *, why: str) -> bool:
    """Go back to looking only; tell whether the session acted for a tenant at all."""
    acting = _of(request)
    if acting is None:
        return False
    told = {"reason": acting.reason, "why": why}
    with scope.within(scope.EVERY_TENANT), transaction.atomic():
        del request.session[_IN_SESSION]
        request.session.save()
        audit.record(AuditEvent.TENANT_LEFT, acting.tenant_id, acting.tenant_id, details=told)
    return True


def _of(request: HttpRequest) -> Acting | None:
    kept = request.session.get(_IN_SESSION)
    return Acting(**kept) if kept else None
