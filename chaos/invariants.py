"""What must be true when the dust has settled. Each check gives its violations, with ids."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil

from chaos import processes
from chaos.ground import SLOTS, Ground
from chaos.ledger import Kind, Ledger
from tests.harness.far_end import FarEnd

# With what a job that is in order may fail: it was hit each time that it was tried.
_HIT = {"worker_lost", "poison", "killed", "stalled", "storage_full"}
# Written here once more: what judges the engine does not ask it.
_FOLLOWS = {
    "": {"queued"},
    "queued": {"running", "failed", "canceled"},
    "running": {"queued", "completed", "failed", "canceled"},
}


@dataclass(frozen=True)
class Evidence:
    ground: Ground
    ledger: Ledger
    far_end: FarEnd


Check = Callable[[Evidence], Iterator[str]]


def i1_every_accepted_submit_is_one_job(seen: Evidence) -> Iterator[str]:
    jobs = defaultdict(list)
    for key, job in seen.ground.rows("SELECT metadata->>'key', id FROM media_jobs_job"):
        jobs[key].append(job)
    for key, ids in jobs.items():
        if len(ids) > 1:
            yield f"{key} was submitted once and is {ids}"
        if key not in seen.ledger.entries:
            yield f"nobody submitted {ids}"
    for entry in seen.ledger.entries.values():
        if entry.job and jobs[entry.key] != [entry.job]:
            yield f"{entry.key} was told {entry.job}; there is {jobs[entry.key]}"


def i2_every_job_has_ended(seen: Evidence) -> Iterator[str]:
    query = "SELECT id, status, attempt FROM media_jobs_job WHERE finished_at IS NULL"
    for job, status, attempt in seen.ground.rows(query):
        yield f"{job} is {status} in attempt {attempt}"


def i2_every_job_ended_as_it_should(seen: Evidence) -> Iterator[str]:
    kinds = {entry.key: entry.kind for entry in seen.ledger.entries.values()}
    query = "SELECT metadata->>'key', id, status, error->>'code' FROM media_jobs_job"
    for key, job, status, code in seen.ground.rows(query):
        kind = kinds.get(key)
        was_hit = status == "failed" and code in _HIT
        if kind is Kind.BROKEN:
            is_right = status == "failed" and code != "internal_error"
        elif kind is Kind.CANCELED:
            is_right = was_hit or status in {"canceled", "completed"}
        else:
            is_right = was_hit or status == "completed"
        if not is_right:
            yield f"{job} ({kind}) is {status}, {code}"


def i3_a_job_completes_once(seen: Evidence) -> Iterator[str]:
    query = """
        SELECT j.id, j.usage, (SELECT count(*) FROM media_jobs_jobevent e
          WHERE e.job_id = j.id AND e.to_status = 'completed'),
          (SELECT count(*) FROM media_jobs_joboutput o WHERE o.job_id = j.id),
          (SELECT count(*) FROM media_jobs_jobattempt a
            WHERE a.job_id = j.id AND a.outcome = 'completed')
        FROM media_jobs_job j WHERE j.status = 'completed'"""
    for job, usage, *counts in seen.ground.rows(query):
        if counts != [1, 1, 1]:
            yield f"{job}: events, outputs, attempts of its completion are {counts}"
        if not usage.get("cpu_seconds"):
            yield f"{job} has no usage record"


def i3_outputs_are_whole(seen: Evidence) -> Iterator[str]:
    query = """
        SELECT o.job_id, f.storage_key, f.sha256 FROM media_jobs_joboutput o
        JOIN storage_file f ON f.id = o.file_id"""
    for job, key, sha256 in seen.ground.rows(query):
        path = seen.ground.folder / "media" / key
        if not path.exists():
            yield f"{job}: {path} is gone"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            yield f"{job}: {path} is not what was stored"


def i3_one_event_is_sent_for_one_end(seen: Evidence) -> Iterator[str]:
    query = """
        SELECT j.metadata->>'key', j.id, array_agg(d.id::text) FILTER (WHERE d.id IS NOT NULL)
        FROM media_jobs_job j LEFT JOIN media_jobs_webhookdelivery d ON d.job_id = j.id
        WHERE j.webhook_url <> '' AND j.finished_at IS NOT NULL GROUP BY j.id"""
    for key, job, events in seen.ground.rows(query):
        received = {each.headers["webhook-id"] for each in seen.far_end.received[f"/hook/{key}"]}
        if len(events or []) != 1:
            yield f"{job} has the events {events}"
        elif not received <= set(events):
            yield f"{job}: its receiver got {received}, not {events}"


def i4_no_ffmpeg_is_left(seen: Evidence) -> Iterator[str]:
    for process in processes.encoders(seen.ground):
        with suppress(psutil.NoSuchProcess):  # it ended just now
            yield f"pid {process.pid}: {process.name()} in {process.cwd()}"


def i5_no_scratch_is_left(seen: Evidence) -> Iterator[str]:
    for path in sorted(seen.ground.scratch.iterdir()):
        yield f"{path.name} is in the scratch folder"


def i6_caps_were_kept(seen: Evidence) -> Iterator[str]:
    """By the events in the order of their numbers, which is that of claims among themselves."""
    query = """
        SELECT e.id, e.job_id, e.to_status, j.tenant_id, t.max_concurrent_jobs
        FROM media_jobs_jobevent e JOIN media_jobs_job j ON j.id = e.job_id
        JOIN accounts_tenant t ON t.id = j.tenant_id ORDER BY e.id"""
    running: dict[str, set[str]] = defaultdict(set)
    for event, job, to, tenant, cap in seen.ground.rows(query):
        if to == "running":
            running[tenant].add(job)
            if cap is not None and len(running[tenant]) > cap:
                yield f"event {event}: {tenant} runs {len(running[tenant])}, its cap is {cap}"
        else:
            running[tenant].discard(job)


def i7_every_transition_is_on_record(seen: Evidence) -> Iterator[str]:
    query = """
        SELECT e.job_id, e.from_status, e.to_status, e.attempt, j.status, j.attempt
        FROM media_jobs_jobevent e JOIN media_jobs_job j ON j.id = e.job_id ORDER BY e.id"""
    chains: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    ends: dict[str, tuple[str, int]] = {}
    for job, before, to, attempt, *now in seen.ground.rows(query):
        chains[job].append((before, to, attempt))
        ends[job] = (now[0], now[1])
    for job, chain in chains.items():
        if not _is_unbroken(chain) or chain[-1][1:] != ends[job]:
            yield f"{job} is {ends[job]}; on record is {chain}"


def _is_unbroken(chain: list[tuple[str, str, int]]) -> bool:
    status, attempt = "", 0
    for before, to, number in chain:
        attempt += to == "running"
        if before != status or to not in _FOLLOWS.get(before, ()) or number != attempt:
            return False
        status = to
    return True


def i8_what_failed_shows_nothing(seen: Evidence) -> Iterator[str]:
    query = """
        SELECT f.id, j.id, j.status FROM storage_file f
        LEFT JOIN media_jobs_joboutput o ON o.file_id = f.id
        LEFT JOIN media_jobs_job j ON j.id = o.job_id
        WHERE f.origin = 'job' AND f.published_at IS NOT NULL
          AND j.status IS DISTINCT FROM 'completed'"""
    for file, job, status in seen.ground.rows(query):
        yield f"{file} is visible, of {job}, which is {status}"


def i9_every_slot_works(seen: Evidence) -> Iterator[str]:
    query = """
        SELECT name, hung, heartbeat_at > now() - interval '15 s' FROM media_jobs_slot
        ORDER BY name"""
    slots = seen.ground.rows(query)
    if len(slots) != SLOTS:
        yield f"there are the slots {[name for name, *_ in slots]}"
    for name, hung, is_alive in slots:
        if hung or not is_alive:
            yield f"{name} is silent, or stands still: {hung}"


def what_faults_saw_was_as_it_should_be(seen: Evidence) -> Iterator[str]:
    """While a disk is filled: the reserve stays, others are answered, a refusal says why."""
    yield from seen.ground.violations


def clients_were_told_the_truth(seen: Evidence) -> Iterator[str]:
    """While parts are away: 503 with a time to come back, or no answer; never a 500."""
    for answer in seen.ledger.answers:
        if answer.status >= 500 and not (answer.status == 503 and answer.has_retry_after):
            yield f"{answer.status} after {answer.seconds:.1f} s: {answer.what}"
    unexpected = Counter(
        answer.what for answer in seen.ledger.answers if answer.status in {400, 401, 403, 404, 422}
    )
    for what, times in unexpected.items():
        yield f"{times} times: {what}"


CHECKS: tuple[Check, ...] = (
    i1_every_accepted_submit_is_one_job,
    i2_every_job_has_ended,
    i2_every_job_ended_as_it_should,
    i3_a_job_completes_once,
    i3_outputs_are_whole,
    i3_one_event_is_sent_for_one_end,
    i4_no_ffmpeg_is_left,
    i5_no_scratch_is_left,
    i6_caps_were_kept,
    i7_every_transition_is_on_record,
    i8_what_failed_shows_nothing,
    i9_every_slot_works,
    what_faults_saw_was_as_it_should_be,
    clients_were_told_the_truth,
)
