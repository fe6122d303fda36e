"""Every list in every order that it offers, forth and back, page by page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import Tenant
from accounts.roles import Role
from accounts.web.api_view import TenantAPIView
from tests.api.test_conventions import ROUTES
from tests.factories import ApiKeyFactory, FileFactory, JobFactory
from tests.harness.api_client import client_of

pytestmark = pytest.mark.django_db

_ROWS = 7
# Only it writes those; they are numbered in its own order.
_OF_THE_SEALER = ("/v1/audit-log/checkpoints",)


# Two of each size and three of each name: ties are broken by the id.
_MAKE: dict[str, Callable[[Tenant, int], Any]] = {
    "/v1/jobs": lambda tenant, _: JobFactory.create(tenant=tenant),
    "/v1/files": lambda tenant, number: FileFactory.create(
        tenant=tenant, name=f"{'aBc'[number % 3]}.mp4", content=b"x" * (1 + number // 2)
    ),
    "/v1/api-keys": lambda tenant, _: ApiKeyFactory.create(tenant=tenant),
    "/v1/audit-log": lambda tenant, _: audit.record(AuditEvent.JOB_CREATED, tenant.pk),
}
_LISTS = [
    (path, f"{sign}{name}")
    for path in _MAKE
    for name in ROUTES[path].orderings
    for sign in ("", "-")
]


def _is_list(view: type[TenantAPIView]) -> bool:
    return "page" in getattr(view, "get", _is_list).__code__.co_names


def test_every_list_is_here() -> None:
    assert {path for path, view in ROUTES.items() if _is_list(view)} == {*_MAKE, *_OF_THE_SEALER}


@pytest.fixture(autouse=True)
def _clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are made on several hosts, whose clocks are not those of each other."""
    start, numbers = time.time_ns(), iter(range(10**6))
    monkeypatch.setattr(
        "ffapi_site.lib.ids.time.time_ns", lambda: start + next(numbers) * 7 % 11 * 5_000_000
    )


def _pages(client: Client, path: str, ordering: str, limit: int) -> Iterator[Any]:
    page = client.get(f"{path}?ordering={ordering}&limit={limit}").json()
    yield page
    while page["next"]:
        page = client.get(page["next"]).json()
        yield page


def _value(row: Any, name: str) -> Any:
    is_time = name in {"created_at", "timestamp"}
    return datetime.fromisoformat(row[name]) if is_time else row[name]


def _name(row: Any) -> str:
    return str(row["id"])


@pytest.mark.parametrize("limit", [1, 3, 200])
@pytest.mark.parametrize(("path", "ordering"), _LISTS)
def test_it_is_in_that_order(tenant: Tenant, path: str, ordering: str, limit: int) -> None:
    client = client_of(tenant, Role.ADMIN)
    for number in range(_ROWS):
        _MAKE[path](tenant, number)
    pages = list(_pages(client, path, ordering, limit))
    rows = [row for page in pages for row in page["results"]]
    values = [_value(row, ordering.removeprefix("-")) for row in rows]
    assert len(rows) >= _ROWS
    assert len({_name(row) for row in rows}) == len(rows)
    assert values == sorted(values, reverse=ordering.startswith("-"))
    back, page = [*pages[-1]["results"]], pages[-1]
    while page["previous"]:
        page = client.get(page["previous"]).json()
        back = [*page["results"], *back]
    assert list(map(_name, back)) == list(map(_name, rows))
