from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import models
from django.http import HttpRequest, QueryDict

from ffapi_site.lib.ids import is_public_id

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class CursorPage(Generic[Row]):
    """Rows of one page, newest first, and the query strings of its neighbours."""

    rows: list[Row]
    newer: str | None
    older: str | None


def cursor_page(
    request: HttpRequest, rows: models.QuerySet[Row], *, size: int = 25
) -> CursorPage[Row]:
    """Cut a page by id (ids sort by time, so pages don't shift while rows are added)."""
    before, after = (_id_of(request.GET.get(key, "")) for key in ("before", "after"))
    if after:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        shown = found[:size][::-1]
        has_newer, has_older = len(found) > size, True
    else:
        older_rows = rows.filter(pk__lt=before) if before else rows
        found = list(older_rows.order_by("-pk")[: size + 1])
        shown = found[:size]
        has_newer, has_older = bool(before), len(found) > size
    if not shown:
        return CursorPage([], None, None)
    return CursorPage(
        shown,
        newer=_query(request.GET, "after", shown[0]) if has_newer else None,
        older=_query(request.GET, "before", shown[-1]) if has_older else None,
    )


def _id_of(given: str) -> str:
    return given if is_public_id(given) else ""


def _query(current: QueryDict, direction: str, row: models.Model) -> str:
    query = current.copy()
    for key in ("before", "after"):
        query.pop(key, None)
    query[direction] = str(row.pk)
    return query.urlencode()
