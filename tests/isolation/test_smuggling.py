"""Ids where no address has its place for them: in bodies, queries, cursors and signed links."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey, TenantQuerySet
from accounts.roles import Role
from ffapi_site.lib import scope
from ffapi_site.lib.ids import new_id
from media_jobs.operations.core import REGISTRY
from tests.attacks.delivery import params_with
from tests.factories import ApiKeyFactory, FileFactory, JobFactory
from tests.harness.api_client import client_of
from tests.harness.cast import signed_in
from tests.isolation.expected import NOT_THERE
from tests.isolation.routes import ROUTES, Kind, Route
from tests.isolation.things import FIXED, THINGS, Side

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LISTS = [
    path
    for path, route in ROUTES.items()
    if route.kind in {Kind.API, Kind.PAGE}
    and route.takes("GET")
    and not set(route.parameters) & set(THINGS)
]


def reader(route: Route, side: Side) -> Client:
    return (
        client_of(side.tenant, Role.ADMIN) if route.kind is Kind.API else signed_in(side.admin.user)
    )


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize("path", LISTS)
def test_no_list_shows_anothers(path: str, defence: str, sides: tuple[Side, Side]) -> None:
    own, other = sides
    names = [thing.name(thing.make(other)) for thing in THINGS.values()]
    names = [each for each in names if "_" in each]  # a number could be anybody's
    for thing in THINGS.values():
        thing.make(own)
    route = ROUTES[path]
    answer = reader(route, own).get(route.at(**{n: FIXED[n] for n in route.parameters}))
    shown = content(answer)
    assert answer.status_code in {200, 422, NOT_THERE.get(path)}, shown
    assert not [name for name in (*names, other.mark, other.tenant.pk) if name.encode() in shown]


def test_no_filter_finds_it(defence: str, sides: tuple[Side, Side]) -> None:
    own, other = sides
    key = ApiKeyFactory.create(tenant=other.tenant)
    job = JobFactory.create(tenant=other.tenant, tags=[other.mark], api_key=key)
    file = FileFactory.create(tenant=other.tenant, name=f"{other.mark}.mp4", tags=[other.mark])
    client = client_of(own.tenant, Role.ADMIN)
    asked = [
        ("/v1/jobs", {"api_key": key.pk}, {"api_key": new_id("key")}),
        ("/v1/jobs", {"search": job.pk}, {"search": new_id("job")}),
        ("/v1/jobs", {"tag": other.mark}, {"tag": "nothing"}),
        ("/v1/files", {"search": file.name}, {"search": "nothing"}),
        ("/v1/files", {"tag": other.mark}, {"tag": "nothing"}),
        ("/v1/audit-log", {"resource": job.pk}, {"resource": new_id("job")}),
        ("/v1/audit-log", {"actor": key.pk}, {"actor": new_id("key")}),
    ]
    for path, theirs, nobodys in asked:
        found, nothing = (client.get(path, query) for query in (theirs, nobodys))
        assert found.status_code == nothing.status_code == 200, found.content
        assert found.json()["results"] == nothing.json()["results"] == []


def test_no_cursor_leads_there(defence: str, sides: tuple[Side, Side]) -> None:
    own, other = sides
    for _ in range(3):
        JobFactory.create(tenant=other.tenant, tags=[other.mark])
    theirs = client_of(other.tenant, Role.ADMIN).get("/v1/jobs", {"limit": 1}).json()["next"]
    assert client_of(own.tenant, Role.ADMIN).get(theirs).json()["results"] == []


@pytest.mark.parametrize("operation", sorted(REGISTRY))
def test_no_body_names_it(operation: str, defence: str, sides: tuple[Side, Side]) -> None:
    own, other = sides
    client = client_of(own.tenant, Role.ADMIN)
    file = FileFactory.create(tenant=other.tenant)
    nobodys = new_id("file")
    for path, body in (
        ("/v1/jobs", lambda name: {"operation": operation, "params": params_with(operation, name)}),
        (f"/v1/{REGISTRY[operation].path}", lambda name: params_with(operation, name)),
    ):
        foreign, unknown = (
            client.post(path, body(name), "application/json", headers={"X-Request-ID": "same"})
            for name in (file.pk, nobodys)
        )
        assert foreign.status_code == unknown.status_code == 422, foreign.content
        assert foreign.content.replace(file.pk.encode(), nobodys.encode()) == unknown.content


def test_a_link_is_for_one_file(defence: str, sides: tuple[Side, Side]) -> None:
    own, other = sides
    ours, theirs = (FileFactory.create(tenant=side.tenant) for side in (own, other))
    told = client_of(own.tenant).get(f"/v1/files/{ours.pk}").json()
    link = told["download_url"].partition("/v1/")[2]
    assert content(Client().get(f"/v1/{link}")) == b"bytes of a file"
    for name in (theirs.pk, new_id("file"), "file_x"):
        refused = Client().get(f"/v1/{link}".replace(ours.pk, name))
        assert refused.json()["code"] == "link_not_valid"


def test_no_body_moves_a_row(defence: str, sides: tuple[Side, Side]) -> None:
    own, other = sides
    client = client_of(own.tenant, Role.ADMIN)
    file = FileFactory.create(tenant=own.tenant)
    for method, path, body in (
        ("POST", "/v1/api-keys", {"name": "x", "role": "viewer"}),
        ("PATCH", f"/v1/files/{file.pk}", {}),
        ("POST", "/v1/jobs", {"operation": "transcode", "params": {"input": file.pk}}),
    ):
        for name in ("tenant", "tenant_id"):
            sent = json.dumps(body | {name: other.tenant.pk})
            refused = client.generic(method, path, sent, "application/json")
            assert refused.status_code == 422, refused.content
            assert f"/{name}" in refused.content.decode()
    assert not ApiKey.objects.filter(tenant=other.tenant).exists()


def test_without_either_defence_all_is_open(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the matrix finds none of is there to be found."""
    own, other = sides
    job = JobFactory.create(tenant=other.tenant)
    client = client_of(own.tenant, Role.ADMIN)
    assert client.get(f"/v1/jobs/{job.pk}").status_code == 404
    monkeypatch.setattr(TenantQuerySet, "for_tenant", lambda rows, _tenant: rows.all())
    monkeypatch.setattr(scope, "current", lambda: scope.EVERY_TENANT)
    assert client.get(f"/v1/jobs/{job.pk}").status_code == 200
