from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import models
from django.http import HttpRequest, QueryDict

from ffapi_site.lib.ids import is_public_id
from ffapi_site.lib.pagination import NEWEST_FIRST, Cursor, cut

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
    """Cut a page by id, beside the row that ``?before=`` or ``?after=`` names."""
    named = [request.GET.get(key, "") for key in ("before", "after")]
    before, after = (each if is_public_id(each) else "" for each in named)
    beside = after or before
    cursor = Cursor(NEWEST_FIRST.name, bool(after), (beside, beside)) if beside else None
    page = cut(rows, NEWEST_FIRST, cursor, size)
    return CursorPage(
        page.rows,
        newer=_query(request.GET, "after", page.rows[0]) if page.has_previous else None,
        older=_query(request.GET, "before", page.rows[-1]) if page.has_next else None,
    )


def _query(current: QueryDict, direction: str, row: models.Model) -> str:
    query = current.copy()
    for key in ("before", "after"):
        query.pop(key, None)
    query[direction] = str(row.pk)
    return query.urlencode()
