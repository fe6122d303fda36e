from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.http import HttpRequest, HttpResponse

from accounts.web.page import Page
from media_jobs.operations.core import REGISTRY


@dataclass(frozen=True)
class Tile:
    """An operation as the catalogue shows it."""

    group: str
    name: str
    path: str
    title: str


class OperationCatalogue(Page):
    """All operations by group that are open to the visitor, each with the way to its form."""

    def get(self, _request: HttpRequest) -> HttpResponse:
        tiles = sorted(
            (
                Tile(each.group, each.name, each.path, each.title())
                for each in REGISTRY.values()
                if each.scope == "jobs:create" or self.visitor.may(each.scope)
            ),
            key=attrgetter("group", "name"),
        )
        groups = [(name, list(rows)) for name, rows in groupby(tiles, attrgetter("group"))]
        return self.render("pages/operations.html", groups=groups)
