"""What is another tenant's can't be named, guessed, filtered, paged or smuggled to."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from accounts.roles import ROLE_SCOPES, allows
from ffapi_site.lib.ids import new_id
from tests.attacks.closed_network import ClosedNetwork
from tests.attacks.delivery import params_with
from tests.attacks.ground import Ground, check_refused
from tests.attacks.hostile_containers import film
from tests.attacks.test_addresses import JOBS
from tests.harness.customer import Customer, Json
from tests.harness.media import X264
from tests.harness.site import Site

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Owned:
    """Bob's things."""

    file: str
    output: str
    job: str
    tag: str
    content: bytes


@pytest.fixture(scope="module")
def content() -> bytes:
    return film("film.mp4", *X264)


@pytest.fixture(scope="module")
def owned(
    network: ClosedNetwork, _customers: tuple[Customer, Customer], content: bytes
) -> tuple[Owned, Any]:
    """And what Bob is told of them before anybody tries anything."""
    tag = f"private-{secrets.token_hex(8)}"
    fields, bob = {"file": (f"{tag}.mp4", content)}, _customers[1]
    with network.entered():
        file = bob.http.post("/v1/files", files=fields, data={"tags": [tag]}).json()["id"]
        job = bob.submit("video/thumbnails", {"input": file, "count": 1}, tags=[tag])
        output = bob.completed(job)["outputs"][0]["file"]
        theirs = Owned(file, output, job["id"], tag, content)
        return theirs, _told(bob, theirs)


@pytest.fixture
def untouched(bob: Customer, owned: tuple[Owned, Any]) -> Iterator[Owned]:
    theirs, before = owned
    yield theirs
    assert _told(bob, theirs) == before
    assert bob.http.get(f"/v1/files/{theirs.file}/content").content == theirs.content


def _told(bob: Customer, theirs: Owned) -> Any:
    return _lasting([bob.job(theirs.job), bob.http.get(f"/v1/files/{theirs.file}").json()])


def _lasting(told: Any) -> Any:
    """All but the links, which are fresh each time."""
    if isinstance(told, dict):
        return {name: _lasting(value) for name, value in told.items() if name != "download_url"}
    return [_lasting(each) for each in told] if isinstance(told, list) else told


ROUTES = [
    ("GET", "/v1/jobs", "jobs:read"),
    ("POST", "/v1/jobs", "jobs:create"),
    ("GET", "/v1/jobs/{job}", "jobs:read"),
    ("DELETE", "/v1/jobs/{job}", "jobs:cancel"),
    ("GET", "/v1/jobs/{job}/log", "jobs:read"),
    ("GET", "/v1/jobs/{job}/events", "jobs:read"),
    ("POST", "/v1/jobs/{job}/cancel", "jobs:cancel"),
    ("POST", "/v1/jobs/{job}/retry", "jobs:create"),
    ("POST", "/v1/probe", "jobs:create"),
    ("GET", "/v1/files", "files:read"),
    ("POST", "/v1/files", "files:create"),
    ("GET", "/v1/files/{file}", "files:read"),
    ("PATCH", "/v1/files/{file}", "files:create"),
    ("DELETE", "/v1/files/{file}", "files:delete"),
    ("GET", "/v1/files/{file}/content", "files:read"),
    *(("POST", f"/v1/{operation}", "jobs:create") for operation in JOBS if operation != "ffmpeg"),
]
_ISSUE = """
import json
from accounts import keys
from accounts.models import Tenant
from accounts.roles import Role
tenant = Tenant.objects.get(name="alice")
made = {role: keys.issue(tenant, name=role, role=role)[1] for role in Role.values}
print(json.dumps(made))
"""


@pytest.fixture(scope="module")
def keys_by_role(attacked: Ground, _customers: object) -> dict[str, str]:
    told = attacked.site.server.manage("shell", "-v", "0", "-c", _ISSUE)
    made: dict[str, str] = json.loads(told.splitlines()[-1])
    return made


@pytest.mark.parametrize("role", ROLE_SCOPES)
def test_no_role_reaches_over(
    *, site: Site, alice: Customer, untouched: Owned, keys_by_role: dict[str, str], role: str
) -> None:
    """Where the scope is missing the answer is 403, else what one gets for an id of nobody."""
    headers = {"Authorization": f"Bearer {keys_by_role[role]}"}
    for method, route, scope in ROUTES:
        if "{" not in route:
            continue
        path = route.format(job=untouched.job, file=untouched.file)
        nobodys = route.format(job=new_id("job"), file=new_id("file"))
        foreign, unknown = (
            alice.http.request(method, each, headers=headers) for each in (path, nobodys)
        )
        has_scope = allows(ROLE_SCOPES[role], scope)
        assert foreign.status_code == unknown.status_code, (method, path, foreign.text)
        assert foreign.status_code in ({404, 415, 422} if has_scope else {403}), foreign.text


@pytest.mark.parametrize("role", ROLE_SCOPES)
def test_a_role_is_its_scopes(alice: Customer, keys_by_role: dict[str, str], role: str) -> None:
    headers = {"Authorization": f"Bearer {keys_by_role[role]}"}
    for method, route, scope in ROUTES:
        if "{" in route:
            continue
        answer = alice.http.request(method, route, headers=headers)
        assert (answer.status_code == 403) != allows(ROLE_SCOPES[role], scope), (route, answer.text)


_MASS: dict[str, Any] = {
    "tenant": "bob",
    "tenant_id": "bob",
    "id": "job_0",
    "status": "completed",
    "attempt": 99,
    "max_attempts": 99,
    "api_key": "key_0",
    "api_key_id": "key_0",
    "lane": "gpu",
    "lease_until": "2999-01-01T00:00:00Z",
    "result": {},
    "error": None,
    "outputs": [],
    "inputs": [],
    "usage": {},
    "created_at": "2000-01-01T00:00:00Z",
    "storage_key": "../../x",
    "sha256": "0" * 64,
    "size_bytes": 0,
    "origin": "job",
    "media": {},
    "published_at": None,
    "expires_at": "2999-01-01T00:00:00Z",
    "is_staff": True,
    "role": "admin",
    "scopes": ["*"],
    "__class__": "x",
    "_state": {},
}


@pytest.mark.parametrize("name", _MASS)
def test_no_field_is_assigned_that_is_ours(
    alice: Customer, far_file: str, name: str, content: bytes
) -> None:
    more = {name: _MASS[name]}
    good = {"operation": "video/thumbnails", "params": {"input": far_file, "count": 1}}
    answers = [
        alice.http.post("/v1/jobs", json=good | more),
        alice.http.post("/v1/video/thumbnails", json={"input": far_file, "count": 1} | more),
        alice.http.post("/v1/files", json={"url": "http://127.0.0.1/x.mp4"} | more),
        alice.http.patch(f"/v1/files/{far_file}", json=more),
        alice.http.post(
            "/v1/files", files={"file": ("x.mp4", content)}, data={name: json.dumps(_MASS[name])}
        ),
    ]
    for answer in answers:
        assert answer.status_code == 422, answer.text
        assert f"/{name}" in {each["pointer"] for each in answer.json()["errors"]}, answer.text


@pytest.fixture(scope="module")
def far_file(network: ClosedNetwork, _customers: tuple[Customer, Customer], content: bytes) -> str:
    """A file of the attacker's own."""
    with network.entered():
        made: str = _customers[0].send_file(content, "film.mp4").json()["id"]
    return made


@pytest.mark.parametrize("operation", JOBS)
def test_no_operation_reads_it(alice: Customer, untouched: Owned, operation: str) -> None:
    nobodys = new_id("file")
    for theirs in (untouched.file, untouched.output):
        answers = [
            alice.http.post(
                "/v1/jobs", json={"operation": operation, "params": params_with(operation, each)}
            )
            for each in (theirs, nobodys)
        ]
        for answer in answers:
            assert answer.status_code == 422, answer.text
        foreign, unknown = (answer.json()["errors"] for answer in answers)
        assert json.dumps(foreign).replace(theirs, nobodys) == json.dumps(unknown)


SMUGGLED: dict[str, Any] = {
    "in an object": {"file": ...},
    "twice": {"file": ..., "url": "https://example.org/x.mp4"},
    "in a list": [...],
    "as a path": "/v1/files/{}",
    "as an address": "http://localhost/v1/files/{}/content",
    "as a file address": "file:{}",
    "in capitals": ("upper",),
    "with blanks": " {} ",
    "with NUL": "{}\0",
    "with a wildcard": ("cut",),
    "with an escape": ("escaped",),
}


def _smuggled(form: Any, theirs: str) -> Any:
    if form == ("upper",):
        return theirs.upper()
    if form == ("cut",):
        return f"{theirs[:-1]}%"
    if form == ("escaped",):
        return theirs.replace("_", "%5f")
    if isinstance(form, str):
        return form.format(theirs)
    if isinstance(form, dict):
        return {name: theirs if value is ... else value for name, value in form.items()}
    return [theirs]


@pytest.mark.parametrize("how", SMUGGLED)
def test_an_id_is_not_smuggled_in(alice: Customer, untouched: Owned, how: str) -> None:
    for theirs in (untouched.file, untouched.output, untouched.job):
        form = _smuggled(SMUGGLED[how], theirs)
        for path, body in (
            ("/v1/transcode", {"input": form}),
            ("/v1/probe", {"input": form}),
            ("/v1/video/concat", {"inputs": [form, form]}),
        ):
            check_refused(alice.http.post(path, json=body))


FILTERS = ["tag={tag}", "search={tag}", "search={job}", "search={file}", "search=%", "search=_"]


@pytest.mark.parametrize("query", FILTERS)
def test_no_filter_finds_it(alice: Customer, untouched: Owned, query: str) -> None:
    asked = query.format(tag=untouched.tag, job=untouched.job, file=untouched.file)
    for path in ("/v1/jobs", "/v1/files"):
        answer = alice.http.get(f"{path}?limit=200&{asked}")
        assert answer.status_code == 200, answer.text
        assert untouched.tag not in answer.text
        assert untouched.job not in answer.text


HOSTILE_QUERIES = [
    "tenant=bob",
    "tenant_id=bob",
    "tenant__name=bob",
    "api_key=key_00000000000000000000000000",
    "api_key__tenant__name=bob",
    "ordering=tenant_id",
    "ordering=-storage_key",
    "ordering=inputs__file__tenant",
    "search=' OR 1=1 --",
    "search=%00",
    "search=%ff%fe",
    "tag=x&tag=y",
    "limit=-1",
    "limit=999999999999999999999",
    "limit=1e3",
    "cursor=",
    "cursor=%00",
    "cursor=eyJpZCI6MX0",
    "created_after=0000-00-00",
    "created_after=999999-01-01T00:00:00Z",
    "status=running' OR ''='",
]


@pytest.mark.parametrize("query", HOSTILE_QUERIES)
def test_a_hostile_query(alice: Customer, untouched: Owned, query: str) -> None:
    for path in ("/v1/jobs", "/v1/files"):
        answer = alice.http.get(f"{path}?{query}")
        if answer.status_code == 200:
            assert untouched.tag not in answer.text
        else:
            check_refused(answer)


def test_anothers_cursor_shows_ones_own(alice: Customer, bob: Customer, untouched: Owned) -> None:
    bob.send_file(untouched.content, "second.mp4")
    for path in ("/v1/jobs", "/v1/files"):
        bob.http.post("/v1/video/thumbnails", json={"input": untouched.file, "count": 1})
        cursor = httpx.URL(bob.http.get(f"{path}?limit=1").json()["next"]).params["cursor"]
        seen = alice.http.get(path, params={"cursor": cursor, "limit": 200})
        assert seen.status_code == 200, seen.text
        assert untouched.tag not in seen.text
        check_refused(alice.http.get(path, params={"cursor": cursor[:-2] + "xx"}))


DETOURS = [
    "/v1/files/../files/{}",
    "/v1/files/%2e%2e/files/{}",
    "/v1//files/{}",
    "/v1/files/{}/",
    "/v1/files/{}%00",
    "/v1/files/{}%2fcontent",
    "/v1/files/{};x=y",
    "/v1/files/{}.json",
    "/V1/FILES/{}",
    "/v1/jobs/{}/../../files/{}",
]


@pytest.mark.parametrize("detour", DETOURS)
def test_no_detour_leads_to_it(alice: Customer, untouched: Owned, detour: str) -> None:
    path = detour.replace("{}", untouched.file)
    answer = alice.http.request("GET", path, follow_redirects=True)
    assert answer.status_code in {400, 404}, (answer.status_code, answer.text)
    assert untouched.tag not in answer.text


HEADERS = [
    {"X-Tenant": "bob"},
    {"X-Forwarded-User": "bob"},
    {"X-Original-URL": "/v1/files"},
    {"X-Rewrite-URL": "/v1/files"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Prefix": "/admin"},
    {"Cookie": "sessionid=x; ffapi=x"},
    {"X-API-Key": "ffapi_x"},
]


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_no_header_makes_one_somebody_else(
    alice: Customer, untouched: Owned, header: dict[str, str]
) -> None:
    for path in (f"/v1/files/{untouched.file}", f"/v1/jobs/{untouched.job}"):
        answer = alice.http.get(path, headers=header)
        assert answer.status_code in {401, 404}, answer.text
        posted = alice.http.post(path, headers=header)
        assert posted.status_code in {401, 404, 405, 415}, posted.text
    listed = alice.http.get("/v1/files?limit=200", headers=header)
    assert untouched.tag not in listed.text
    assert "evil.example" not in listed.text


KEYS = ["", "x", "ffapi_", "ffapi_" + "0" * 75, "null", "' OR 1=1 --", "\u00e9", "a" * 9000]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:12] or "empty")
def test_no_key_is_made_up(site: Site, alice: Customer, untouched: Owned, key: str) -> None:
    with closing(httpx.Client(base_url=site.server.url, trust_env=False)) as anybody:
        for headers in ({"Authorization": f"Bearer {key}".strip()}, {"X-API-Key": key}):
            coded = [(name.encode(), value.encode()) for name, value in headers.items()]
            for method, route, _ in ROUTES:
                path = route.format(job=untouched.job, file=untouched.file)
                answer = anybody.request(method, path, headers=coded)
                assert answer.status_code in {400, 401, 431}, (path, answer.text)


def test_a_link_is_for_one_file(
    alice: Customer, bob: Customer, untouched: Owned, far_file: str
) -> None:
    own = alice.http.get(f"/v1/files/{far_file}").json()["download_url"]
    theirs = bob.http.get(f"/v1/files/{untouched.file}").json()["download_url"]
    forged: list[Json] = [
        {"url": own.replace(far_file, untouched.file)},
        {"url": theirs[:-1] + ("a" if theirs[-1] != "a" else "b")},
        {"url": theirs.partition("?")[0]},
        {"url": theirs.replace(untouched.file, untouched.output)},
    ]
    with closing(httpx.Client(trust_env=False)) as anybody:
        assert anybody.get(own).status_code == 200
        for each in forged:
            answer = anybody.get(each["url"])
            assert answer.status_code in {401, 403, 404}, (each, answer.status_code)
