"""``Idempotency-Key``: a request sent twice has one effect and one answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.models import IdempotentRequest, Tenant
from accounts.models.idempotency import ANSWER_BYTES
from accounts.quotas.errors import TenantSuspended
from ffapi_site.lib.problems import Conflict, Forbidden, Invalid, Malformed

KEPT_FOR = timedelta(hours=24)
_KEPT_HEADERS = ("Content-Type", "Location", "Preference-Applied")
# What passes by itself, or is lifted, must not be repeated for a day.
_NOT_KEPT = (429, *range(500, 600))
_NOT_KEPT_CODES = (TenantSuspended.code,)


def read_key(given: str) -> str:
    """Check a key as a client sent it; raises ``Malformed``."""
    if not (given.isascii() and given.isprintable() and 0 < len(given) <= 255):
        detail = "Idempotency-Key must be 1 to 255 printable ASCII characters"
        raise Malformed(detail, code="bad_idempotency_key")
    return given


@dataclass(frozen=True)
class Claim:
    """The right to carry out the request of one key. ``made`` tells what a crashed holder made."""

    row: IdempotentRequest

    @property
    def made(self) -> str:
        return self.row.made

    def note_made(self, object_id: str) -> None:
        """Call it inside the transaction that makes the object; raises when the claim was lost."""
        if not self._own().update(made=object_id):
            raise in_flight()

    def keep(self, response: HttpResponseBase) -> None:
        """Keep the answer for whoever repeats the request, or free the key where it can't be."""
        if response.streaming or response.status_code in _NOT_KEPT:
            return self.release()
        assert isinstance(response, HttpResponse)  # noqa: S101 -- what does not stream is one
        if response.status_code == Forbidden.status:
            code = json.loads(response.content).get("code")
            if code in _NOT_KEPT_CODES:
                return self.release()
        if len(response.content) > ANSWER_BYTES:
            # Too much for a row. A repeat is told of what was made as it is then; a request that
            # made nothing was only a question, which can be asked again.
            return self.release()
        kept = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
        # Bytes as text, one character each: what is encrypted is text.
        answer = response.content.decode("latin-1")
        self._own().update(status=response.status_code, headers=kept, answer=answer)
        return None

    def release(self) -> None:
        """Free the key for another try, but not where something was made already."""
        self._own().filter(made="").delete()
        self._own().update(claimed_at=Now() - KEPT_FOR)

    def _own(self) -> QuerySet[IdempotentRequest]:
        return IdempotentRequest.objects.filter(
            pk=self.row.pk, claimed_at=self.row.claimed_at, status=None
        )


def in_flight() -> Conflict:
    return Conflict(
        "the first request under this Idempotency-Key is still running",
        code="idempotent_request_in_flight",
        headers={"Retry-After": "1"},
    )


def replay(row: IdempotentRequest) -> HttpResponse:
    headers = {**row.headers, "Idempotency-Replayed": "true"}
    body = row.answer.encode("latin-1") or bytes(row.body)
    return HttpResponse(body, status=row.status, headers=headers)


def is_known(tenant: Tenant, key: str) -> bool:
    """Tell whether a request under ``key`` had its answer, or made what it was to make."""
    rows = IdempotentRequest.objects.filter(tenant=tenant, key=key)
    return rows.filter(~Q(made="") | Q(status__isnull=False)).exists()


def claim(
    tenant: Tenant, key: str, fingerprint: str, *, takeover_after_s: float
) -> Claim | HttpResponse:
    """Claim ``key`` for a request, or give the answer that its first request got.

    A claim without an answer is taken over after ``takeover_after_s``: its holder has crashed.
    Raises ``Conflict`` while the holder may still run, ``Invalid`` for another request's key.
    """
    rows = IdempotentRequest.objects.filter(tenant=tenant, key=key)
    rows.filter(created_at__lt=Now() - KEPT_FOR).delete()
    try:
        with transaction.atomic():
            return Claim(rows.create(tenant=tenant, key=key, fingerprint=fingerprint))
    except IntegrityError:
        first = rows.first()
    if first is None:  # it was released in between
        raise in_flight()
    if first.fingerprint != fingerprint:
        raise Invalid(
            "this Idempotency-Key was used for another request", code="idempotency_key_reused"
        )
    if first.status is not None:
        return replay(first)
    stale = IdempotentRequest.objects.filter(
        pk=first.pk, status=None, claimed_at__lt=Now() - timedelta(seconds=takeover_after_s)
    )
    if not stale.update(claimed_at=Now()):
        raise in_flight()
    first.refresh_from_db()
    return Claim(first)


def forget_old() -> int:
    """Delete what is older than the promise; returns how many."""
    return IdempotentRequest.objects.filter(created_at__lt=Now() - KEPT_FOR).delete()[0]
