"""The page that a problem's ``type`` leads to: ``docs/errors.md``, its codes as anchors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_ROW = re.compile(r"^\| (`[a-z0-9_`, ]+`) \| (?:(\d{3}) \| )?(.+) \|$")


@dataclass(frozen=True)
class ErrorCode:
    code: str
    meaning: str
    status: str


@dataclass(frozen=True)
class Chapter:
    title: str
    codes: tuple[ErrorCode, ...]


@cache
def chapters() -> tuple[Chapter, ...]:
    page = (settings.BASE_DIR / "docs" / "errors.md").read_text()
    found = []
    for part in page.split("\n## ")[1:]:
        title, *lines = part.splitlines()
        codes = [
            ErrorCode(code, row[3].replace("`", ""), row[2] or "")
            for row in filter(None, map(_ROW.match, lines))
            for code in re.findall(r"[a-z0-9_]+", row[1])
        ]
        found.append(Chapter(title, tuple(codes)))
    return tuple(found)


def error_codes(request: HttpRequest) -> HttpResponse:
    """Anchors are given once, to the first meaning of a code: that of a request."""
    return render(request, "docs/errors.html", {"chapters": chapters()})
