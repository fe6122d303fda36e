"""Cursor pages over public ids, which sort by time of making."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from ffapi_site.lib import query
from ffapi_site.lib.bounded_fields import BoundedJSONField
from ffapi_site.lib.problems import Malformed
from ffapi_site.lib.shorten import size_bytes

PARAMETERS = ("limit", "cursor", "ordering")
DEFAULT_LIMIT = 50
MAX_LIMIT = 200
PAGE_BYTES = 1 << 20
"""Of JSON in the rows of a page; one row is always on it."""
_AT_ONCE = DEFAULT_LIMIT + 1
_SALT = "ffapi.cursor"


@dataclass(frozen=True)
class Cursor:
    """A place between two rows of a list: the row it lies beside and the way the reader goes."""

    ordering: str
    backwards: bool
    beside: tuple[str | int, str]  # the value ordered by, and the id that breaks ties

    def to_text(self) -> str:
        place = [self.ordering, int(self.backwards), *self.beside]
        packed = signing.b64_encode(json.dumps(place, separators=(",", ":")).encode()).decode()
        return signing.Signer(salt=_SALT).sign(packed)

    @classmethod
    def from_text(cls, text: str, ordering: str) -> Cursor:
        """Read a cursor that we made for this ordering; raises ``Malformed`` for any other text."""
        try:
            packed = signing.Signer(salt=_SALT).unsign(text)
            made_for, backwards, value, row_id = json.loads(signing.b64_decode(packed.encode()))
        except (signing.BadSignature, ValueError) as error:
            raise Malformed("the cursor is not one of ours", code="bad_cursor") from error
        if made_for != ordering:
            raise Malformed("the cursor belongs to another ordering", code="bad_cursor")
        return cls(made_for, bool(backwards), (value, row_id))


class CursorPages(BasePagination):
    """``?limit=`` and ``?cursor=``, and ``?ordering=`` by what the view's ``orderings`` offers.

    ``orderings`` maps the public name to a column that is never null; ``-name`` turns it round.
    """

    request: Request
    orderings: dict[str, str]
    ordering: str
    cursor: Cursor | None
    has_more: bool
    places: tuple[tuple[str | int, str], tuple[str | int, str]] | None

    def paginate_queryset(
        self,
        queryset: QuerySet[Any] | Sequence[Any],
        request: Request,
        view: Any | None = None,
    ) -> list[Any]:
        if not isinstance(queryset, QuerySet):
            raise TypeError("only a query can be continued from a cursor")
        self.request = request
        self.orderings = getattr(view, "orderings", {"created_at": "id"})
        names = [name for plain in self.orderings for name in (plain, f"-{plain}")]
        newest_first = f"-{next(iter(self.orderings))}"
        self.ordering = query.choice(request, "ordering", names) or newest_first
        limit = query.number(request, "limit", low=1, high=MAX_LIMIT) or DEFAULT_LIMIT
        text = query.text(request, "cursor")
        self.cursor = None if text is None else Cursor.from_text(text, self.ordering)
        rows = self._fitting(queryset, limit)
        if self.cursor and self.cursor.backwards:
            rows.reverse()
        self.places = (self._place(rows[0]), self._place(rows[-1])) if rows else None
        return rows

    @property
    def _column(self) -> str:
        return self.orderings[self.ordering.removeprefix("-")]

    def _place(self, row: Model) -> tuple[str | int, str]:
        return getattr(row, self._column), str(row.pk)

    def _fitting(self, queryset: QuerySet[Any], limit: int) -> list[Any]:
        """Up to ``limit`` rows, fewer where they hold much: what follows is on the next page.

        Read a few at a time, so that no more than they are in memory at once.
        """
        rows: list[Any] = []
        left_bytes, at_once = PAGE_BYTES, min(limit + 1, _AT_ONCE)
        cursor = self.cursor
        backwards = cursor is not None and cursor.backwards
        while True:
            found = list(self._from_cursor(queryset, cursor)[:at_once])
            for row in found:
                left_bytes -= _size_bytes(row)
                if len(rows) == limit or (rows and left_bytes < 0):
                    self.has_more = True
                    return rows
                rows.append(row)
            if len(found) < at_once:
                self.has_more = False
                return rows
            cursor = Cursor(self.ordering, backwards, self._place(rows[-1]))

    def _from_cursor(self, queryset: QuerySet[Any], cursor: Cursor | None) -> QuerySet[Any]:
        backwards = cursor is not None and cursor.backwards
        descending = self.ordering.startswith("-") != backwards
        sign, compare = ("-", "lt") if descending else ("", "gt")
        ordered = queryset.order_by(f"{sign}{self._column}", f"{sign}id")
        if cursor is None:
            return ordered
        value, row_id = cursor.beside
        return ordered.filter(
            Q(**{f"{self._column}__{compare}": value})
            | Q(**{self._column: value, f"id__{compare}": row_id})
        )

    def _link(self, *, backwards: bool) -> str | None:
        reads_backwards = self.cursor is not None and self.cursor.backwards
        is_ahead = backwards == reads_backwards
        if self.places is None or not (self.has_more if is_ahead else self.cursor):
            return None
        cursor = Cursor(self.ordering, backwards, self.places[0 if backwards else 1]).to_text()
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self._link(backwards=False), "previous": self._link(backwards=True)}
        return Response(links | {"results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


def _size_bytes(row: Model) -> int:
    """What those columns of a row hold that may hold much."""
    columns = row._meta.concrete_fields  # noqa: SLF001 -- public, by its documentation
    wide = (field for field in columns if isinstance(field, BoundedJSONField))
    read = vars(row)  # what was not asked for is not read for this
    return sum(size_bytes(read[field.attname]) for field in wide if field.attname in read)
