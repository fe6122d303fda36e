"""The program that does the installation's chores; each host may run one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from ffapi_site.lib.chores import Round, attend
from media_jobs.maintenance import sweep

PATIENCE_S = 60.0
"""How long it may be silent before whoever watches over it kills it."""

_PAUSE_S = 3.0
# Longer than any chore takes between two of its words while disk and database answer at all.
_QUEUE_PATIENCE_S = 60.0
_CLEANING_PATIENCE_S = 900.0


def run(stop: Event, go_on: Callable[[], None]) -> None:
    """Do what is due until ``stop``; end the process where a chore never ends."""
    queue = Round("queue", sweep.queue_chores(), patience_s=_QUEUE_PATIENCE_S)
    cleaning = Round("cleaning", sweep.cleaning(), patience_s=_CLEANING_PATIENCE_S)
    attend([queue, cleaning], stop, go_on, pause_s=_PAUSE_S)
