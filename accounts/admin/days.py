from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter

from ffapi_site.lib.times import day_of, midnight

_ONE_DAY = timedelta(days=1)


class DaysFilter(RangeDateFilter):
    """From one day (UTC) to another, both of them included; what is no date is no bound."""

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if start := self._midnight("from"):
            rows = rows.filter(**{f"{self.field_path}__gte": start})
        if end := self._midnight("to"):
            rows = rows.filter(**{f"{self.field_path}__lt": end + _ONE_DAY})
        return rows

    def _midnight(self, bound: str) -> datetime | None:
        given = str(self.used_parameters.get(f"{self.field_path}_{bound}", ""))
        try:
            return midnight(day_of(given))
        except ValueError:
            return None
