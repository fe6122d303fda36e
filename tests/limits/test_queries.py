"""What no filter, page or id could be, into every query parameter and every place in an address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit_coverage.stage import Stage
from tests.described import document
from tests.in_turn import in_turn
from tests.isolation.routes import ROUTES, Route
from tests.isolation.things import FIXED
from tests.savepoint import undone

pytestmark = pytest.mark.django_db

_HOSTILE = (
    *("%00", "%ff", "%ed%a0%80", "x" * 301, "%27%22%5c", "%d9%a3", "%ef%ac%ac" * 300),
    *("-1", "9" * 30, "1e400", "10000-01-01"),
    *("0001-01-01T00:00:00%2b23:59", "9999-12-31T23:59:59-23:59"),
)
_TURNS = 4
_NAMES_OF_PAGES = (
    *("after", "before", "search", "status", "operation", "start", "end", "actor", "event_type"),
    *("resource", "from", "to", "group_by", "like", "next", "name", "kind"),
)
_API = [
    (path, each["name"])
    for path, methods in document()["paths"].items()
    for each in methods.get("get", {}).get("parameters", [])
    if each["in"] == "query"
]
_PAGES = [
    each for each in ROUTES.values() if not each.path.startswith("/v1/") and each.takes("GET")
]
_WITH_PLACES = [each for each in ROUTES.values() if each.parameters]


def _asked(stage: Stage, by: str, method: str, address: str) -> Any:
    client = stage.browser(by)
    with undone(client):
        answer = client.generic(method, address)
    assert answer.status_code < 500, (method, address[:200], getattr(answer, "content", b"")[-300:])
    return answer


def test_no_parameter_is_an_error_of_ours(stage: Stage, subtests: pytest.Subtests) -> None:
    values = {"file_id": "file_x", "job_id": "job_x"}
    for turn, (path, name) in enumerate(_API):
        with subtests.test(f"{path}?{name}"):
            for value in in_turn(_HOSTILE, turn, _TURNS):
                answer = _asked(stage, "key", "GET", f"{path.format(**values)}?{name}={value}")
                if answer.status_code == 422:
                    assert answer.json()["errors"][0]["pointer"] == f"?{name}"


def test_no_query_of_a_page_is_an_error_of_ours(stage: Stage, subtests: pytest.Subtests) -> None:
    for turn, route in enumerate(_PAGES):
        address = route.at(**{name: FIXED.get(name, "x") for name in route.parameters})
        with subtests.test(route.path):
            for value in in_turn(_HOSTILE, turn, _TURNS):
                query = "&".join(f"{name}={value}" for name in _NAMES_OF_PAGES)
                _asked(stage, "member", "GET", f"{address}?{query}")


@pytest.mark.parametrize(
    "address",
    ["/admin/media_jobs/job/a%00b/change/", "/admin/media_jobs/job/?status__exact=%00", "/?a=%00"],
)
def test_no_page_has_nul_in_its_address(stage: Stage, address: str) -> None:
    assert _asked(stage, "root", "GET", address).status_code == 400


def test_no_place_in_an_address_is_an_error_of_ours(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    for turn, route in enumerate(_WITH_PLACES):
        with subtests.test(route.path):
            for value in in_turn(_HOSTILE, turn, _TURNS):
                _asked_by_all_methods(stage, route, value)


def _asked_by_all_methods(stage: Stage, route: Route, value: str) -> None:
    by = "key" if route.path.startswith("/v1/") else "member"
    address = route.at(**dict.fromkeys(route.parameters, value))
    for method in ("GET", "POST", "DELETE"):
        if route.takes(method):
            _asked(stage, by, method, address)
