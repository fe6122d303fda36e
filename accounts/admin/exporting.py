from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import actor, audit
from accounts.admin.confirming import Deed, HasActions, ReasonForm, ask, chosen_rows
from accounts.audit_events import AuditEvent
from ffapi_site.lib.csv_cells import csv_text
from ffapi_site.lib.dispositions import content_disposition


class Exports(HasActions):
    """Gives the chosen rows as CSV, with the fields of ``exported``; that is one audit record."""

    exported: ClassVar[tuple[str, ...]]
    exported_as: ClassVar[AuditEvent]

    @admin.action(description="Export the chosen rows as CSV", permissions=["view"])
    def export(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        rows = chosen_rows(self, request, chosen)
        if rows is None:
            return None
        form = ReasonForm.confirmed_in(request)
        if not form.is_valid():
            return ask(_EXPORT, self, request, rows, form)
        actor.explain(form.cleaned_data["reason"])
        details = {"rows": len(rows), "ids": [str(row.pk) for row in rows]}
        audit.record(self.exported_as, None, details=details)
        return self._csv(rows)

    def _csv(self, rows: list[Any]) -> HttpResponse:
        titles = [label_for_field(name, self.model, self) for name in self.exported]
        lines = [[getattr(row, name) for name in self.exported] for row in rows]
        name = f"{self.opts.model_name}.csv"
        return HttpResponse(
            csv_text([titles, *lines]),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": content_disposition(name)},
        )


_EXPORT = Deed(Exports.export, "export", "Export the chosen rows as CSV", "Export", "exported")
