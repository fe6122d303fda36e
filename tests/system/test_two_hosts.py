"""Two hosts with scratch folders of their own share one queue; one of them is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from ffapi_site.database.embedded import socket_folder
from tests.harness.customer import Customer, Json
from tests.harness.far_end import FarEnd
from tests.harness.media import Samples
from tests.harness.processes import is_dead
from tests.harness.server import Server, eventually, free_port
from tests.harness.site import Site

_JOBS = int(os.environ.get("TWO_HOSTS_JOBS", "16"))
_SECRETS = ("SECRET_KEY", "API_KEY_PEPPER", "ENCRYPTION_KEYS")


@contextmanager
def _second_host(site: Site) -> Iterator[Server]:
    """Its own data folder and port; the first one's database, media and secrets."""
    first = site.server.folder
    folder = first.parent / "second"
    folder.mkdir()
    (folder / "media").symlink_to(first / "media")
    place = socket_folder(first / "postgres")
    more = site.server.settings | {
        "FFAPI_HOST_NAME": "second",
        "DATABASE_URL": f"postgres://postgres@/{place}/postgres",
    }
    more |= {f"{name}_FILE": str(first / "secrets" / name.lower()) for name in _SECRETS}
    with Server.start(folder, port=free_port(), settings=more) as server:
        server.await_line("FFAPI serves")
        yield server


def _hosts_of(site: Site, status: str) -> set[str]:
    query = """
        SELECT DISTINCT a.slot FROM media_jobs_jobattempt a JOIN media_jobs_job j ON j.id = a.job_id
        WHERE j.status = %s AND a.number = j.attempt AND 'shared' = ANY (j.tags)"""
    return {slot.partition("-")[0] for (slot,) in site.rows(query, status)}


def _lose(host: Server) -> list[psutil.Process]:
    lost = host.processes()
    for process in lost:
        with suppress(psutil.NoSuchProcess):  # one that another took with it
            process.kill()
    assert eventually(lambda: all(map(is_dead, lost)), within_s=10)
    return lost


def test_it_works(site: Site, alice: Customer, media: Samples, far_end: FarEnd) -> None:
    """More jobs than slots, twice; those that fetch keep all the slots of both hosts busy."""
    content, jobs = media.path("red").read_bytes(), list[Json]()

    def submit(url: str) -> None:
        params = {"input": url, "preset": "fast"}
        jobs.extend(alice.submit("transcode", params, tags=["shared"]) for _ in range(_JOBS // 2))
        assert eventually(lambda: len(_hosts_of(site, "running")) == 2, within_s=60)

    with _second_host(site) as second:
        with far_end.held("/shared.mp4", content) as (url, release):
            submit(url)
            release()
            assert eventually(lambda: "second" in _hosts_of(site, "completed"), within_s=60)
        with far_end.held("/lost.mp4", content) as (url, release):
            submit(url)
            assert list((second.folder / "scratch").glob("job_*"))
            assert _lose(second) != []
            release()
            ended = [alice.ended(job, within_s=200) for job in jobs]
    assert {job["status"] for job in ended} == {"completed"}
    assert len(_hosts_of(site, "completed")) == 2
    assert max(job["attempt"] for job in ended) == 2  # what the lost host had begun
    outputs = site.rows(
        "SELECT o.job_id FROM media_jobs_joboutput o JOIN media_jobs_job j ON j.id = o.job_id"
        " WHERE 'shared' = ANY (j.tags)"
    )
    assert sorted(job for (job,) in outputs) == sorted(job["id"] for job in jobs)
