"""The one transaction that ends an attempt, also where the database goes away at that moment."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection, transaction

from media_jobs import states
from media_jobs.models import Job

logger = logging.getLogger(__name__)


def carry_out(job: Job, write: Callable[[], None], *, bear: Callable[[Exception], None]) -> None:
    """Do ``write``, which ends the attempt, in a transaction: again while the database is away.

    Whether a COMMIT without an answer was one is asked, never guessed: the next try waits for the
    lock of whatever is still on its way, and finds the attempt ended or not. ``bear`` is called in
    between, and raises what is to end the tries. Raises `states.Lost` where somebody else ended it.
    """
    is_in_doubt = False
    while True:
        try:
            with transaction.atomic():
                write()
        except (OperationalError, InterfaceError) as error:
            is_in_doubt = True
            logger.warning("The end of an attempt is in doubt", extra={"job": job.id})
            connection.close()
            bear(error)
        except states.Lost:
            if is_in_doubt and states.ended_itself(job):
                return
            raise
        else:
            return
