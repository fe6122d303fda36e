from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase

from accounts.audit_chain import download, state
from accounts.audit_chain.selection import Selection
from accounts.audit_events import AuditEvent
from accounts.web.cursor import cursor_page
from accounts.web.page import Page
from accounts.web.visitor import Visitor
from ffapi_site.lib import query
from ffapi_site.lib.times import moment_of

_TEXT_LENGTH = 200
_FIELDS = ("start", "end", "actor", "event_type", "resource")


def _selection(visitor: Visitor, asked: QueryDict) -> Selection:
    # Staff who read every tenant's rows read every tenant's log.
    if visitor.tenant is not None or not visitor.user.is_staff:
        visitor.require("audit:read")
    return Selection(
        visitor.tenant,
        start=_moment(asked, "start"),
        end=_moment(asked, "end"),
        actor=_text(asked.get("actor", "")),
        event_type=query.chosen(asked, "event_type", sorted(AuditEvent)),
        resource=_text(asked.get("resource", "")),
    )


def _text(given: str) -> str:
    return given.replace("\0", "").strip()[:_TEXT_LENGTH]


def _moment(asked: QueryDict, name: str) -> datetime | None:
    """What a browser's field for a time holds, in UTC; raises ``Invalid`` for what is no time."""
    given = asked.get(name, "")
    if not given:
        return None
    try:
        return moment_of(given)
    except ValueError as error:
        raise query.wrong(name, "must be a time like 2025-01-31T12:00") from error


class AuditPage(Page):
    """The audit log to search, with how its chain stands."""

    scopes: ClassVar[dict[str, str]] = {}

    def get(self, request: HttpRequest) -> HttpResponse:
        selection = _selection(self.visitor, request.GET)
        page = cursor_page(request, selection.records().select_related("tenant"))
        return self.render(
            "pages/audit.html",
            page=page,
            chosen=request.GET,
            is_filtered=any(request.GET.get(name) for name in _FIELDS),
            events=sorted(AuditEvent),
            chain=state.of(selection.tenant_id),
        )


class AuditExportPage(Page):
    """The same records as a file."""

    scopes: ClassVar[dict[str, str]] = {}
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        selection = _selection(self.visitor, request.POST)
        form = request.POST.get("format", "")
        if form not in download.FORMATS:
            raise PermissionDenied("There is no such format.")
        if form == "bundle":
            selection = Selection(selection.tenant, selection.start, selection.end)
        return download.respond(request, selection, form)
