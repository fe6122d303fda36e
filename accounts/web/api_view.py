"""The base of every view under ``/v1``: who calls, what is theirs, and how often they may."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency, rate_limit
from accounts.models import Tenant, TenantQuerySet
from accounts.quotas import suspension
from accounts.quotas.errors import QuotaExceeded
from accounts.web.caller import Caller
from ffapi_site.lib import query
from ffapi_site.lib.ids import is_public_id
from ffapi_site.lib.pagination import PARAMETERS, CursorPages
from ffapi_site.lib.problems import NotFound

Row = TypeVar("Row", bound=Model)


class _AlreadyAnswered(Exception):  # noqa: N818 -- a way out, not an error
    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


class TenantAPIView(APIView):
    """A view that acts for one tenant.

    ``scopes`` names the scope of each method. ``orderings`` maps what ``?ordering=`` offers to
    columns that are never null, the default first (newest first). ``also_answers`` are statuses
    of its own, for the description. A POST under an
    ``Idempotency-Key`` is claimed before its handler runs and its answer kept after it.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    orderings: ClassVar[Mapping[str, str]] = {"created_at": "id"}
    also_answers: ClassVar[tuple[int, ...]] = ()
    takeover_after_s: ClassVar[float] = 120  # longer than any handler under a key runs
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    claim: idempotency.Claim | None = None
    _allowance: rate_limit.Allowance | None = None

    @property
    def caller(self) -> Caller:
        return cast("Caller", self.request.user)

    @property
    def tenant(self) -> Tenant:
        return self.caller.tenant

    @property
    def sent(self) -> dict[str, Any]:
        """The object in the request's body; empty where there is none."""
        return cast("dict[str, Any]", self.request.data)

    def own(self, rows: TenantQuerySet[Row], public_id: str) -> Row:
        """Give the tenant's row of this id; another tenant's is as absent as one never made."""
        if not is_public_id(public_id):
            raise NotFound
        row: Row | None = rows.for_tenant(self.tenant).filter(pk=public_id).first()
        if row is None:
            raise NotFound
        return row

    def made_before(self, rows: TenantQuerySet[Row]) -> Row | None:
        """What a crashed request under the same ``Idempotency-Key`` has made; else None."""
        if not (self.claim and self.claim.made):
            return None
        row: Row | None = rows.for_tenant(self.tenant).filter(pk=self.claim.made).first()
        return row

    def note_made(self, row: Model) -> None:
        """Remember ``row`` in the transaction that makes it, so that it is not made twice."""
        if self.claim:
            self.claim.note_made(str(row.pk))

    def page(
        self,
        rows: TenantQuerySet[Row],
        to_json: Callable[[list[Row]], list[Any]],
        *,
        filters: tuple[str, ...] = (),
    ) -> Response:
        """Answer with one page; query parameters besides ``filters`` and paging are refused."""
        query.only(self.request, (*filters, *PARAMETERS))
        pages = CursorPages()
        found = pages.paginate_queryset(rows.for_tenant(self.tenant), self.request, view=self)
        return pages.get_paginated_response(to_json(found))

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        self._allowance = rate_limit.count_key(self.caller.api_key)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        given = request.headers.get("Idempotency-Key")
        if request.method != "POST" or given is None or not hasattr(self, "post"):
            return
        answer = idempotency.claim(
            self.tenant,
            idempotency.read_key(given),
            self.fingerprint(request),
            takeover_after_s=self.takeover_after_s,
        )
        if isinstance(answer, HttpResponse):
            raise _AlreadyAnswered(answer)
        self.claim = answer

    def fingerprint(self, request: Request) -> str:
        """Digest what makes two requests the same: method, address and content."""
        digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
        digest.update(request._request.body)  # noqa: SLF001 -- DRF reads it from there again
        return digest.hexdigest()

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, _AlreadyAnswered):
            return exc.response
        try:
            if isinstance(exc, QuotaExceeded):
                suspension.note_violation(exc)
            return super().handle_exception(exc)
        except BaseException:
            if self.claim:
                self.claim.release()
            raise

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self._allowance:
            for name, value in self._allowance.headers.items():
                answer.headers.setdefault(name, value)
        answer.headers.setdefault("Cache-Control", "no-store")
        if self.claim:
            self._keep(self.claim, answer)
        return answer

    def _keep(self, claim: idempotency.Claim, answer: HttpResponseBase) -> None:
        if isinstance(answer, Response):
            answer.add_post_render_callback(claim.keep)
        else:
            claim.keep(answer)
