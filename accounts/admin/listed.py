"""Filters of lists by what a column can hold, which the code says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter


class ListedFilter(DropdownFilter):
    """By a list of ours: the whole table would have to be read to know which values there are."""

    listed: ClassVar[tuple[str, ...]] = ()

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value.replace("_", " ")) for value in self.listed]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(**{self.parameter_name: self.value()}) if self.value() else rows


def by(column: str, values: Iterable[str]) -> type[ListedFilter]:
    """Make the filter of a column."""
    names = {"title": column.replace("_", " "), "parameter_name": column}
    return type("By", (ListedFilter,), names | {"listed": tuple(map(str, values))})
