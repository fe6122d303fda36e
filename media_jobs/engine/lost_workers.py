"""What becomes of a job whose worker is gone.

A worker that falls silent may have gone with its host: a preempted machine, a deployment, a power
cut. That says nothing of the job. Where its guard lived on to see it die or hang, the job may have
been the cause, and after a few of those it is not tried again: poison.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from media_jobs.engine import states
from media_jobs.ffmpeg import failures
from media_jobs.models import Job, JobAttempt, Status

logger = logging.getLogger(__name__)

# What each counts for. A hang holds a slot for half a minute, and a death for a moment: the second
# time that a job does so is no chance.
_DEATHS = {states.WORKER_DIED: 1, states.WORKER_HUNG: 2}


def lose(found: QuerySet[Job], cause: str) -> bool:
    """End the running attempt of the one job in ``found``; tell whether it was still there.

    ``cause`` is the attempt's outcome: one of those of `states` that begin with ``WORKER``.
    """
    with transaction.atomic(durable=True):
        job = found.select_for_update(skip_locked=True).filter(status=Status.RUNNING).first()
        if job is None:
            return False
        extra = {"job": job.id, "attempt": job.attempt, "slot": job.slot, "cause": cause}
        logger.warning("An attempt was lost", extra=extra)
        _lose(job, cause)
        return True


def report(slot: str, cause: str, *, since: datetime) -> None:
    """Say, as the guard of ``slot``, that its worker died or hung; ``since`` is the guard's start.

    The job that it ran is taken from it at once. Where its lease had run out already, the attempt
    is told to have ended of ``cause``: silence was all that others saw of it. While the database is
    away nothing is written, and the silence stays one.
    """
    try:
        for job in Job.objects.filter(slot=slot, status=Status.RUNNING):
            lose(Job.objects.filter(pk=job.pk, slot=slot, attempt=job.attempt), cause)
        tried = JobAttempt.objects.filter(slot=slot, started_at__gte=since).order_by("started_at")
        if (last := tried.last()) is not None:
            silent = JobAttempt.objects.filter(pk=last.pk, outcome=states.WORKER_LOST)
            silent.update(outcome=cause)
    except (OperationalError, InterfaceError):
        extra = {"slot": slot, "cause": cause}
        logger.exception("A worker's death could not be written down", extra=extra)
        connection.close()


def _lose(job: Job, cause: str) -> None:
    outcomes = job.attempts.filter(~Q(number=job.attempt)).values_list("outcome", flat=True)
    causes = [each for each in (*outcomes, cause) if each in _DEATHS]
    if cause in _DEATHS and sum(map(_DEATHS.__getitem__, causes)) >= settings.POISON_AFTER_DEATHS:
        # It is kept from killing more of them, until staff have looked at it.
        logger.error("A job is quarantined", extra={"job": job.id, "deaths": len(causes)})
        reason, error = f"poison: {len(causes)} workers died of it", failures.POISON.to_json()
        states.end(job, Status.FAILED, reason, outcome=cause, error=error, quarantined_at=Now())
    elif job.attempt < job.max_attempts:
        states.give_back(job, f"{job.slot}: {cause}", outcome=cause)
    else:
        error = failures.WORKER_LOST.to_json()
        states.end(job, Status.FAILED, "worker_lost", outcome=cause, error=error)
