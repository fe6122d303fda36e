"""Events sent side by side, for as long as the process lives."""

from __future__ import annotations

import logging
import threading

from django.db import connection

from ffapi_site.lib.chores import go_on
from media_jobs.events.webhooks.sender import deliver
from media_jobs.events.webhooks.turns import claim
from media_jobs.models import WebhookDelivery

logger = logging.getLogger(__name__)

_AT_ONCE = 8
_IN_ONE_ROUND = 100  # then whoever does the rounds has a word: they may be told to stop


class Rounds:
    """What one process sends at a time: eight events, each on a thread of its own."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(_AT_ONCE)

    def send_due(self) -> bool:
        """Set out with the events that may go now, a hundred at most; tell whether there was one.

        Waits where eight are on their way. Raises what the database does.
        """
        sent = 0
        while sent < _IN_ONE_ROUND and self._send_one():
            sent += 1
            go_on()
        return sent > 0

    def _send_one(self) -> bool:
        self._free.acquire()
        is_on_its_way = False
        try:
            delivery = claim()
            if delivery is not None:
                threading.Thread(target=self._carry, args=(delivery,), daemon=True).start()
                is_on_its_way = True
        finally:
            if not is_on_its_way:
                self._free.release()
        return is_on_its_way

    def _carry(self, delivery: WebhookDelivery) -> None:
        """Send one event; what goes wrong with it is said, and concerns no other."""
        try:
            deliver(delivery)
        except Exception:
            # It is due again when the claim has run out.
            logger.exception("An event could not be sent", extra={"delivery": delivery.pk})
        finally:
            connection.close()  # the thread's own
            self._free.release()
