"""Pages of a list that don't shift while rows are added: each begins beside a row, not at a number.

Public ids sort by the time of making. The API and the pages for people cut alike; only how they
write the place down differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

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

Row = TypeVar("Row", bound=Model)


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


@dataclass(frozen=True)
class Order:
    """By a column that is never null, then by the id; ``-name`` is the other way round."""

    name: str
    column: str

    @property
    def is_descending(self) -> bool:
        return self.name.startswith("-")

    def place(self, row: Model) -> tuple[str | int, str]:
        return getattr(row, self.column), str(row.pk)

    def ahead(self, rows: QuerySet[Row], cursor: Cursor | None) -> QuerySet[Row]:
        """The rows that are read next, in the order in which they are read."""
        backwards = cursor is not None and cursor.backwards
        sign, compare = ("-", "lt") if self.is_descending != backwards else ("", "gt")
        ordered = rows.order_by(f"{sign}{self.column}", f"{sign}id")
        if cursor is None:
            return ordered
        value, row_id = cursor.beside
        is_beyond = Q(**{f"{self.column}__{compare}": value})
        if self.column != "id":
            is_beyond |= Q(**{self.column: value, f"id__{compare}": row_id})
        return ordered.filter(is_beyond)


NEWEST_FIRST = Order("-created_at", "id")


@dataclass(frozen=True)
class Cut(Generic[Row]):
    """The rows of one page, and whether there are others on either side of them."""

    rows: list[Row]
    has_previous: bool
    has_next: bool


def cut(rows: QuerySet[Row], order: Order, cursor: Cursor | None, limit: int) -> Cut[Row]:
    """Cut a page of up to ``limit`` rows, fewer where they hold much: the next one follows on."""
    found, has_more = _fitting(rows, order, cursor, limit)
    if not found:
        return Cut([], has_previous=False, has_next=False)
    if cursor and cursor.backwards:
        return Cut(found[::-1], has_previous=has_more, has_next=True)
    return Cut(found, has_previous=cursor is not None, has_next=has_more)


def _fitting(
    rows: QuerySet[Row], order: Order, cursor: Cursor | None, limit: int
) -> tuple[list[Row], bool]:
    """Read a few rows at a time, so that no more than they are in memory at once."""
    fitting: list[Row] = []
    left_bytes, at_once = PAGE_BYTES, min(limit + 1, _AT_ONCE)
    backwards = cursor is not None and cursor.backwards
    columns = rows.model._meta.concrete_fields  # noqa: SLF001 -- public, by its documentation
    wide = [field.attname for field in columns if isinstance(field, BoundedJSONField)]
    while True:
        found = list(order.ahead(rows, cursor)[:at_once])
        for row in found:
            read = vars(row)  # what was not asked for is not read for this
            left_bytes -= sum(size_bytes(read[name]) for name in wide if name in read)
            if len(fitting) == limit or (fitting and left_bytes < 0):
                return fitting, True
            fitting.append(row)
        if len(found) < at_once:
            return fitting, False
        cursor = Cursor(order.name, backwards, order.place(fitting[-1]))


class CursorPages(BasePagination):
    """``?limit=`` and ``?cursor=``, and ``?ordering=`` by what the view's ``orderings`` offers.

    ``orderings`` maps the public name to a column that is never null; ``-name`` turns it round.
    """

    request: Request
    order: Order
    cut: Cut[Any]

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any | None = None
    ) -> list[Any]:
        if not isinstance(queryset, QuerySet):
            raise TypeError("only a query can be continued from a cursor")
        self.request = request
        orderings: Mapping[str, str] = getattr(view, "orderings", {"created_at": "id"})
        names = [name for plain in orderings for name in (plain, f"-{plain}")]
        name = query.choice(request, "ordering", names) or f"-{names[0]}"  # the newest first
        self.order = Order(name, orderings[name.removeprefix("-")])
        limit = query.number(request, "limit", low=1, high=MAX_LIMIT) or DEFAULT_LIMIT
        text = query.text(request, "cursor")
        cursor = None if text is None else Cursor.from_text(text, self.order.name)
        self.cut = cut(queryset, self.order, cursor, limit)
        return self.cut.rows

    def _link(self, *, backwards: bool) -> str | None:
        if not (self.cut.has_previous if backwards else self.cut.has_next):
            return None
        place = self.order.place(self.cut.rows[0 if backwards else -1])
        cursor = Cursor(self.order.name, backwards, place).to_text()
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
