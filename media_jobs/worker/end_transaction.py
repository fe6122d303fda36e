"""The one transaction that ends an attempt, also where the database goes away at that moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import connection, transaction

from ffapi_site.lib.database_away import DATABASE_TROUBLE, database_away
from media_jobs.engine import lease, states
from media_jobs.models import Job

logger = logging.getLogger(__name__)

# A deadlock or a lock that is waited for passes within so many tries; a full disk does not.
_MOST_REFUSALS = 5
# It can't be away for longer with a lease that is renewed: then it falls at this very statement.
_LONGEST_S = 60.0


def commit(job: Job, write: Callable[[], None], *, on_outage: Callable[[Exception], None]) -> None:
    """Do ``write``, which ends the attempt, in a transaction: again while the database is away.

    Whether a COMMIT without an answer was one is asked, never guessed: the next try waits for the
    lock of whatever is still on its way, and finds the attempt ended or not. ``on_outage`` is
    called in between, and raises what is to end the tries. Raises `lease.Lost` where somebody else
    ended it, and what the database said where it is there and refuses the end again and again.
    """
    is_in_doubt = False
    refusals, until = 0, time.monotonic() + _LONGEST_S
    while True:
        try:
            with transaction.atomic():
                write()
        except DATABASE_TROUBLE as error:
            is_in_doubt = True
            logger.warning("The end of an attempt is in doubt", extra={"job": job.id})
            connection.close()
            refusals += not database_away(error)
            if refusals == _MOST_REFUSALS or time.monotonic() > until:
                raise
            on_outage(error)
        except lease.Lost:
            if is_in_doubt and states.ended_itself(job):
                return
            raise
        else:
            return
