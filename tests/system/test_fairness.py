"""R15: a tenant with a long queue does not hold up one with a single job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import pytest

from tests.harness.customer import Customer, Json
from tests.harness.media import Samples
from tests.harness.site import Site

_QUEUED = 10_000
_COPY = """
WITH model AS (SELECT * FROM media_jobs_job WHERE id = %s),
made AS (
    INSERT INTO media_jobs_job
        (id, tenant_id, operation, params, output_name, metadata, tags, webhook_url, status,
         priority, lane, memory_mb, scratch_mb, attempt, max_attempts, slot, host, progress, device,
         device_asked, warnings, usage)
    SELECT 'job_01' || substr(md5(n || random()::text), 1, 24), tenant_id, operation, params, '',
        '{}', '{copy}', '', 'queued',
        priority, lane, memory_mb, scratch_mb, 0, max_attempts, '', '', '{}', '', device_asked,
        '[]', '{}'
    FROM model, generate_series(1, %s) AS n RETURNING id
)
INSERT INTO media_jobs_jobinput (job_id, role, url, file_id)
SELECT made.id, role, url, file_id FROM made, media_jobs_jobinput i WHERE i.job_id = %s
"""


@pytest.fixture
def flood(site: Site, alice: Customer, media: Samples) -> Iterator[Json]:
    """Thousands of Alice's jobs in the queue; one such job, which is done."""
    job = alice.submit("transcode", {"input": alice.upload(media.path("red"))["id"]})
    done = alice.completed(job)
    site.rows(_COPY, job["id"], _QUEUED, job["id"])
    yield done
    _delete_waiting(site)


def _delete_waiting(site: Site) -> None:
    waiting = "(SELECT id FROM media_jobs_job WHERE tags = '{copy}' AND status = 'queued')"
    # In one transaction, and locked: none is claimed meanwhile.
    of_jobs = ("jobinput", "jobattempt", "jobstep", "jobevent")
    statements = [
        f"SELECT FROM media_jobs_job WHERE id IN {waiting} FOR UPDATE",
        *(f"DELETE FROM media_jobs_{each} WHERE job_id IN {waiting}" for each in of_jobs),  # noqa: S608
        "DELETE FROM media_jobs_job WHERE tags = '{copy}' AND status = 'queued'",
    ]
    site.rows(";".join(statements))


def test_it_works(site: Site, alice: Customer, bob: Customer, media: Samples, flood: Json) -> None:
    ended = "SELECT extract(epoch FROM finished_at - started_at)::float FROM media_jobs_job"
    ended += " WHERE tags = '{copy}' AND status = 'completed'"
    deadline = time.monotonic() + 60
    while len(durations_s := [row[0] for row in site.rows(ended)]) < 4:
        assert time.monotonic() < deadline, site.logs()
        time.sleep(0.2)
    source = bob.upload(media.path("red"))["id"]
    began = time.monotonic()
    job = bob.submit("transcode", {"input": source})
    bob.until(job, lambda now: now["status"] != "queued", within_s=120)
    assert time.monotonic() - began < 2 * median(durations_s) + 5
    bob.completed(job)
    [(left,)] = site.rows("SELECT count(*) FROM media_jobs_job WHERE status = 'queued'")
    assert left > _QUEUED / 2  # Alice's queue was long all the time


def test_lists_and_looks_stay_quick(
    site: Site, alice: Customer, bob: Customer, media: Samples, flood: Json
) -> None:
    """Of 10,000 jobs a place is counted once for an answer, not once for each job in it."""
    last = "SELECT id FROM media_jobs_job WHERE status = 'queued' ORDER BY rank DESC, id DESC"
    [(waiting,)] = site.rows(f"{last} LIMIT 1")
    single = bob.submit("transcode", {"input": bob.upload(media.path("red"))["id"]})
    times_s = [(_look_s(alice, waiting), _look_s(bob, single["id"])) for _ in range(40)]
    assert alice.job(waiting)["status"] == "queued"
    of_many, of_one = (median(times) for times in zip(*times_s, strict=True))
    assert of_many < 10 * of_one, (of_many, of_one)  # 20 times where it was counted for each


def _look_s(customer: Customer, job_id: str) -> float:
    began = time.monotonic()
    assert customer.http.get("/v1/jobs").status_code == 200
    customer.job(job_id)
    return time.monotonic() - began
