"""The same verb takes the same scope and ends in the same code, on pages and over the API."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

# Page and API by the names of their routes; each with its method.
_SAME = (
    ("POST cancel_job", "POST api-job-cancel"),
    ("POST retry_job", "POST api-job-retry"),
    ("POST delete_job", "DELETE api-job"),
    ("POST new_job", "POST api-jobs"),
    ("POST upload", "POST api-files"),
    ("POST delete_file", "DELETE api-file"),
    ("GET files", "GET api-files"),
    ("GET jobs", "GET api-jobs"),
    ("GET job", "GET api-job"),
    ("GET keys", "GET api-keys"),
    ("POST keys", "POST api-keys"),
    ("POST rotate_key", "POST api-key-rotate"),
    ("POST revoke_key", "POST api-key-revoke"),
    ("GET usage", "GET api-usage"),
    ("GET usage_sheet", "GET api-usage"),
)
# Those of `problems` that a code alone has to tell apart.
_STATUS = {"Conflict": 409, "Forbidden": 403, "TooManyRequests": 429, "Unavailable": 503}


def _views(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, type]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        elif view := getattr(pattern.callback, "view_class", None):
            yield str(pattern.name), view


@pytest.mark.parametrize("pair", _SAME, ids=str)
def test_a_verb_takes_one_scope(pair: tuple[str, str]) -> None:
    views = dict(_views(get_resolver().url_patterns))
    scopes = []
    for each in pair:
        method, _, name = each.partition(" ")
        scopes.append(getattr(views[name], "scopes")[method])  # noqa: B009 -- a view's own
    assert scopes[0] == scopes[1]


def _codes() -> Iterator[tuple[str, int]]:
    """Every code that is given to a problem of a known status, where it is raised or declared."""
    for package in ("accounts", "ffapi_site", "media_jobs", "storage"):
        for path in (settings.BASE_DIR / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                yield from _codes_of(node)


def _codes_of(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Call):
        status = _STATUS.get(ast.unparse(node.func).rpartition(".")[2])
        given = [each.value for each in node.keywords if each.arg == "code"]
    elif isinstance(node, ast.ClassDef):
        status = next(
            (_STATUS[base] for base in map(ast.unparse, node.bases) if base in _STATUS), None
        )
        given = [
            each.value
            for each in node.body
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "code"
        ]
    else:
        return
    for value in given:
        if status and isinstance(value, ast.Constant):
            yield str(value.value), status


def test_a_code_has_one_status() -> None:
    found = defaultdict(set)
    for code, status in _codes():
        found[code].add(status)
    assert len(found) > 15
    assert {code: statuses for code, statuses in found.items() if len(statuses) > 1} == {}


def test_a_conflict_has_one_code() -> None:
    """What one place calls `in_use` no other calls `file_in_use`."""
    conflicts = {code for code, status in _codes() if status == 409}
    doubles = [
        (one, other)
        for one in conflicts
        for other in conflicts
        if other.endswith(f"_{one}") and not one.startswith("conflict")
    ]
    assert doubles == []
