"""The message at a job's end, as a real receiver of it sees it."""

from __future__ import annotations

import json
import time

import pytest
from standardwebhooks import Webhook

from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd, Received, moved
from tests.harness.media import Samples
from tests.harness.server import eventually
from tests.harness.site import Site

pytestmark = pytest.mark.slow


@pytest.fixture
def source(alice: Customer, media: Samples) -> str:
    return str(alice.upload(media.path("red"))["id"])


def _submit(alice: Customer, source: str, url: str) -> Json:
    return alice.submit("transcode", {"input": source}, webhook_url=url, metadata={"order": 7})


def _await(far_end: FarEnd, path: str, number: int, within_s: float = 60) -> list[Received]:
    arrived = far_end.received[path]
    assert eventually(lambda: len(arrived) >= number, within_s=within_s), arrived
    return arrived


def _verified(alice: Customer, received: Received) -> Json:
    secret = alice.http.get("/v1/tenant").json()["webhook_secret"]
    event: Json = Webhook(secret).verify(received.body, received.headers)
    return event


def _delivery(site: Site, job: Json) -> tuple[object, ...]:
    query = "SELECT attempt, last_status, last_error FROM media_jobs_webhookdelivery"
    [row] = site.rows(f"{query} WHERE job_id = %s", job["id"])
    return row


def test_it_works(alice: Customer, source: str, far_end: FarEnd) -> None:
    job = alice.completed(_submit(alice, source, far_end.at("/hook")))
    [received] = _await(far_end, "/hook", 1)
    event = _verified(alice, received)
    assert event["type"] == "job.completed"
    assert event["data"]["job_id"] == job["id"]
    assert event["data"]["metadata"] == {"order": 7}
    assert event["data"]["outputs"][0]["sha256"] == job["outputs"][0]["sha256"]
    assert received.headers["content-type"] == "application/json"


def test_another_tenants_secret_does_not_fit(
    alice: Customer, bob: Customer, source: str, far_end: FarEnd
) -> None:
    _submit(alice, source, far_end.at("/own"))
    [received] = _await(far_end, "/own", 1)
    with pytest.raises(Exception, match="signature"):
        _verified(bob, received)


def test_a_failure_is_told_too(alice: Customer, far_end: FarEnd) -> None:
    asked = {"input": far_end.at("/nothing-here.mp4")}
    job = alice.submit("transcode", asked, webhook_url=far_end.at("/failed"))
    [received] = _await(far_end, "/failed", 1)
    event = _verified(alice, received)
    assert (event["type"], event["data"]["status"]) == ("job.failed", "failed")
    assert event["data"]["error"] == alice.job(job["id"])["error"]
    assert event["data"]["error"]["code"] == "bad_status"


def test_it_is_sent_again_after_an_error(alice: Customer, source: str, far_end: FarEnd) -> None:
    far_end.statuses["/shaky"] = [500, 204]
    _submit(alice, source, far_end.at("/shaky"))
    first, second = _await(far_end, "/shaky", 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.body == second.body
    assert 3 < second.at_s - first.at_s < 15
    _verified(alice, second)


def test_a_redirect_is_not_followed(
    alice: Customer, source: str, far_end: FarEnd, site: Site
) -> None:
    far_end.statuses["/moved"] = [302, 204]
    far_end.pages["/moved"] = moved(far_end.at("/elsewhere"))
    job = _submit(alice, source, far_end.at("/moved"))
    _await(far_end, "/moved", 1)
    assert eventually(lambda: _delivery(site, job)[1] == 302, within_s=20)
    _await(far_end, "/moved", 2)  # it counted as a failure
    assert far_end.received["/elsewhere"] == []


def test_a_receiver_that_is_down_gets_it_later(
    alice: Customer, source: str, site: Site, closed_port: int
) -> None:
    job = alice.completed(_submit(alice, source, f"http://127.0.0.1:{closed_port}/late"))
    assert eventually(lambda: "unreachable" in str(_delivery(site, job)[2]), within_s=20)
    with FarEnd(closed_port) as back:
        [received] = _await(back, "/late", 1)
        assert _verified(alice, received)["data"]["job_id"] == job["id"]
        assert eventually(lambda: _delivery(site, job)[1] == 204, within_s=20)


def test_a_slow_receiver_does_not_hold_up_the_job(
    alice: Customer, source: str, far_end: FarEnd
) -> None:
    began = time.monotonic()
    job = alice.completed(_submit(alice, source, far_end.at("/quick")))
    [received] = _await(far_end, "/quick", 1)
    assert received.at_s - began < 30
    assert json.loads(received.body)["data"]["status"] == job["status"]
