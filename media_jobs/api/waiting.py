"""``Prefer: wait=N`` (RFC 7240): a client that would rather wait for the end of its job."""

from __future__ import annotations

import re
import threading
import time

from django.db import connection
from rest_framework.request import Request

from ffapi_site.lib import ongoing
from ffapi_site.lib.problems import TooManyRequests, Unavailable
from media_jobs.events.change_feed import feed
from media_jobs.models import Job
from media_jobs.models.job import FINAL

LONGEST_S = 60
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)
_LOOKS_AT_LEAST_EVERY_S = 2.0


def wanted_wait_s(request: Request) -> int | None:
    """What the client prefers, at most a minute; None where it says nothing that can be read."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST_S) if found else None


def wait_for_end(job: Job, seconds: float) -> bool:
    """Wait until the job ends or the time is up; tell whether there was a place to wait at all."""
    changed, deadline = threading.Event(), time.monotonic() + seconds
    ended = Job.objects.filter(pk=job.id, status__in=FINAL)
    try:
        with ongoing.WAITS.one_of(job.tenant_id), feed.on_change(job.id, changed.set):
            while not ended.exists() and (left_s := deadline - time.monotonic()) > 0:
                connection.close()  # a waiting request must not hold a connection of the pool
                changed.wait(min(left_s, _LOOKS_AT_LEAST_EVERY_S))
                changed.clear()
    except (TooManyRequests, Unavailable):
        return False  # they hold a thread each: who is one too many gets their 202 at once
    return True
