"""What no column could hold into every field of every form, as a browser would send it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from tests.audit_coverage.page_cases import PAGES
from tests.audit_coverage.stage import Ask, Stage, sender_of
from tests.in_turn import in_turn
from tests.savepoint import undone

pytestmark = pytest.mark.django_db

_FIELD = re.compile(r"<(?:input|select|textarea)\b[^>]*?\sname=\"([^\"]+)\"")
_OURS = {"csrfmiddlewaretoken"}
# What goes to the parser of an operation's parameters is tried over the API.
_OF_JOBS = ("job.", "input.")
# NUL; what grows when it is composed, compatibly composed, or written in small letters; and a
# surrogate, a character cut in half, in the bytes of UTF-8.
_HOSTILE = (
    "a%00b",
    "x" * 100_000,
    "%ef%ac%ac" * 76,
    "%ef%b7%ba" * 60,
    "%c4%b0" * 150 + "@example.org",
    "a%40" + ".".join(["%c4%b0" * 60] * 4) + ".org",
    "%ed%a0%80",
    "-9223372036854775809",
    "https://example.org/" + "x" * 4077,
)


def _fields(stage: Stage, ask: Ask, found: QueryDict) -> Iterator[str]:
    """Those that are filled in rightly, and the others that the page shows."""
    client = stage.browser(sender_of(ask))
    with undone(client):
        shown = client.get(ask.path)
    names = {*found}
    if shown.status_code == 200 and not shown.streaming:
        names |= {unescape(each) for each in _FIELD.findall(shown.content.decode())}
    is_job = ask.path.startswith("/operations/")
    yield from sorted(each for each in names - _OURS if not is_job or each.startswith(_OF_JOBS))


def _posted(client: Client, path: str, form: str) -> Any:
    with undone(client):
        return client.post(path, form, "application/x-www-form-urlencoded")


def test_nothing_in_a_form_is_an_error_of_ours(stage: Stage, subtests: pytest.Subtests) -> None:
    for turn, name in enumerate(name for name in PAGES if name.startswith("POST ")):
        with subtests.test(name), stage.case():
            ask = PAGES[name][1](stage)
            if not isinstance(ask.body, bytes):  # an upload takes no form
                _takes_anything(stage, ask, turn)


def _takes_anything(stage: Stage, ask: Ask, turn: int) -> None:
    form = QueryDict(mutable=True)
    form.update(ask.body or {})
    client = stage.browser(sender_of(ask))
    for place, field in enumerate(_fields(stage, ask, form), start=turn):
        others = form.copy()
        others.pop(field, None)
        for value in in_turn(_HOSTILE, place, 3):
            sent = "&".join(filter(None, (others.urlencode(), f"{field}={value}")))
            answer = _posted(client, ask.path, sent)
            assert answer.status_code < 500, (field, value[:50], answer.content[-500:])
