"""One attempt at a job: gather its inputs, place it, drive its operation, keep the outputs."""

from __future__ import annotations

import logging
from pathlib import Path

from accounts.quotas import bounds
from media_jobs.engine import lease
from media_jobs.host import scratch, truncation
from media_jobs.models import Job
from media_jobs.operations import core
from media_jobs.planning import media_limits, placement
from media_jobs.worker import inputs, outputs
from media_jobs.worker.answers import Answers
from media_jobs.worker.drive import Drive
from media_jobs.worker.heartbeat import Heartbeat
from media_jobs.worker.progress import Meter
from media_jobs.worker.receipt import Receipt
from media_jobs.worker.settlement import Settlement

logger = logging.getLogger(__name__)


def run(job: Job) -> None:
    """Run the attempt that ``states.claim`` has just made of ``job``; whatever happens is a row."""
    try:
        with Heartbeat(job) as heartbeat:
            settlement = Settlement(job, Receipt(), heartbeat.wait_for_database)
            with settlement.of_failures(), scratch.folder(scratch.of_attempt(job)) as folder:
                _work(job, folder, heartbeat, settlement)
    except lease.Lost:
        logger.warning("The attempt lost its lease", extra={"job": job.id})


def _work(job: Job, folder: Path, heartbeat: Heartbeat, settlement: Settlement) -> None:
    meter, receipt, watch = Meter(heartbeat.beat), settlement.receipt, heartbeat.go_on

    operation = core.parse(job.operation, job.params)
    gathered = inputs.gather(job, folder, meter.fetching, reads_all=operation.reads_all)
    receipt.input_bytes = gathered.size_bytes
    sources = gathered.sources
    cut = gathered.read_by(lambda: truncation.names_of_cut(folder, sources.values(), watch))
    allowed = bounds.in_force(job.tenant_id, job.api_key_id)
    media_limits.check_sources(sources, allowed)

    placed = placement.place(job, operation)

    answers = Answers(job, folder, gathered, watch)
    drive = Drive(operation, answers, meter, receipt)
    result = drive.run(placed)
    made = outputs.keep(job, folder, drive.outputs, allowed, watch=watch)
    broken = [f"{name} breaks off in the middle: its end is missing" for name in cut]
    settlement.complete(made, result, broken)
