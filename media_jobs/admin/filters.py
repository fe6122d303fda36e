from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import TextFilter

from accounts.admin.listed import ListedFilter
from media_jobs.operations.core import REGISTRY


class OperationFilter(ListedFilter):
    """By the catalogue."""

    title = "operation"
    parameter_name = "operation"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(REGISTRY)]


class FailureFilter(TextFilter):
    """By the code of the error, such as ``deadline_exceeded``."""

    title = "failure code"
    parameter_name = "failure"

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        code = (self.value() or "").strip().replace(" ", "_")
        return rows.filter(error__code=code) if code else rows
