"""The program that sends webhooks; any number of them share the work."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from ffapi_site.lib.chores import Chore, Round, attend
from media_jobs.events.webhooks.rounds import Rounds

PATIENCE_S = 60.0
"""How long it may be silent before whoever watches over it kills it."""

_PAUSE_S = 1.0
# Where eight events are on their way it waits for one of them, which has a deadline.
_SENDING_PATIENCE_S = 300.0


def run(stop: Event, go_on: Callable[[], None]) -> None:
    """Send what is due until ``stop``; what is on its way then is sent again by another."""
    send = Chore("webhooks", Rounds().send_due, longest_rest_s=30.0)
    attend(
        [Round("webhooks", [send], patience_s=_SENDING_PATIENCE_S)], stop, go_on, pause_s=_PAUSE_S
    )
