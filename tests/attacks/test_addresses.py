"""Addresses that lead inside, however they are spelt, in every field that takes one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from media_jobs.operations.core import REGISTRY
from tests.attacks.conftest import NAMES, PUBLIC
from tests.attacks.delivery import params_with
from tests.attacks.ground import Ground, check_failed, check_refused
from tests.attacks.inside import INSIDE, REFUSALS
from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd, Page, moved
from tests.harness.server import eventually

pytestmark = pytest.mark.slow

# The others go the same way within this process, in ``test_urls``.
OVER_THE_WIRE = (
    *("plain", "name", "decimal", "octal", "mapped", "v6 with a zone", "circled"),
    *("user", "backslash", "line end", "metadata", "private", "file", "no scheme"),
)
JOBS = sorted(set(REGISTRY) - {"probe"})


def _bodies(url: str, good: str) -> Iterator[tuple[str, Json]]:
    """Every field of every request that takes an address, with ``url`` in it."""
    yield "/v1/files", {"url": url}
    yield "/v1/probe", {"input_url": url}
    for operation in JOBS:
        params = params_with(operation, url)
        yield "/v1/jobs", {"operation": operation, "params": params}
        path = f"/v1/{REGISTRY[operation].path}"
        yield path, params
        yield path, params_with(operation, good) | {"webhook_url": url}
    yield "/v1/transcode", {"input": {"url": url}}
    yield "/v1/video/concat", {"inputs": [good, {"url": url}]}


@pytest.mark.parametrize("spelling", OVER_THE_WIRE)
def test_every_field_refuses_it(
    ground: Ground, alice: Customer, far_end: FarEnd, spelling: str
) -> None:
    listeners = ground.canaries.listeners
    url = INSIDE[spelling].format(port=listeners.port, unix=listeners.path)
    for path, body in _bodies(url, far_end.at("/good.mp4")):
        answer = alice.http.post(path, json=body)
        assert answer.status_code == 422, (path, body, answer.text)
        codes = {each["code"] for each in answer.json()["errors"]}
        assert codes <= REFUSALS, (path, body, answer.text)


def _fetched(alice: Customer, url: str) -> Iterator[httpx.Response]:
    """What comes of an address that the spelling alone does not condemn."""
    yield alice.http.post("/v1/files", json={"url": url})
    yield alice.http.post("/v1/probe", json={"input_url": url})
    body = {"input_url": url}
    yield alice.http.post("/v1/transcode", json=body, headers={"Prefer": "wait=50"})


def _check_not_fetched(answer: httpx.Response, codes: set[str]) -> None:
    told: Any = answer.json()
    if answer.status_code == 200:
        check_failed(told)
        assert told["error"]["code"] in codes, told["error"]
    else:
        check_refused(answer)
        assert {each["code"] for each in told["errors"]} <= codes, told


@pytest.mark.parametrize("spelling", OVER_THE_WIRE)
def test_no_redirect_leads_there(
    ground: Ground, alice: Customer, far_end: FarEnd, spelling: str
) -> None:
    listeners = ground.canaries.listeners
    url = INSIDE[spelling].format(port=listeners.port, unix=listeners.path)
    # A header holds neither line ends nor letters beyond ASCII.
    location = url if url.isprintable() and url.isascii() else quote(url, safe=":/@#")
    to = far_end.serve("/moved.mp4", moved(location))
    # "//host" and what urljoin makes a path of lead back to the far end, which has no such page.
    codes = REFUSALS | {"bad_status", "bad_response"}
    for answer in _fetched(alice, to):
        _check_not_fetched(answer, codes)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_status_of_a_redirect_leads_there(
    ground: Ground, alice: Customer, far_end: FarEnd, status: int
) -> None:
    """By way of three harmless steps."""
    port = ground.canaries.listeners.port
    inside = {"Location": f"http://127.0.0.1:{port}/a.mp4"}
    far_end.serve("/step-0.mp4", Page(status=status, headers=inside))
    for step in (1, 2, 3):
        far_end.serve(
            f"/step-{step}.mp4", Page(status=status, headers={"Location": f"/step-{step - 1}.mp4"})
        )
    for answer in _fetched(alice, far_end.at("/step-3.mp4")):
        _check_not_fetched(answer, {"url_address_not_allowed"})


@pytest.mark.parametrize(
    ("location", "code"),
    [("/turn.mp4", "too_many_redirects"), ("", "bad_response"), ("http://[", "url_invalid")],
)
def test_redirects_to_nowhere(alice: Customer, far_end: FarEnd, location: str, code: str) -> None:
    far_end.serve("/turn.mp4", moved(location))
    for answer in _fetched(alice, far_end.at("/turn.mp4")):
        _check_not_fetched(answer, {code})


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_there(ground: Ground, alice: Customer, name: str) -> None:
    """However often it is asked, and whatever it answers then."""
    url = f"http://{name}:{ground.canaries.listeners.port}/a.mp4"
    for _ in range(3 if len(NAMES[name]) > 1 else 1):
        for answer in _fetched(alice, url):
            _check_not_fetched(answer, {"url_address_not_allowed", "url_unreachable"})
    tries = ground.site.refused_connections().splitlines()
    may_be_tried = [PUBLIC] in NAMES[name]
    assert all(each.endswith(f" {PUBLIC}") for each in tries)
    assert bool(tries) <= may_be_tried
    ground.site.record.unlink(missing_ok=True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_webhook_is_led_there(
    ground: Ground, alice: Customer, far_end: FarEnd, status: int
) -> None:
    turn = f"/turn-{status}"  # its own: the last one's webhook is still tried again
    far_end.statuses[turn] = [status]
    inside = f"http://127.0.0.1:{ground.canaries.listeners.port}/"
    far_end.pages[turn] = Page(headers={"Location": inside})
    body = {"input_url": far_end.at("/nothing.mp4"), "webhook_url": far_end.at(turn)}
    job = alice.http.post("/v1/transcode", json=body, headers={"Prefer": "wait=50"}).json()
    query = "SELECT last_status FROM media_jobs_webhookdelivery WHERE job_id = %s"

    def was_told() -> bool:
        return (status,) in ground.site.rows(query, job["id"])

    assert eventually(was_told, within_s=20)
