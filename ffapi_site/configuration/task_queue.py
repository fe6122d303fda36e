"""How a slot uses django-q2: one cluster of one worker that takes one token at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def cluster(lanes: Iterable[str]) -> dict[str, Any]:
    return {
        "name": "ffapi",
        "orm": "default",
        "broker_class": "media_jobs.slot.broker.TokenBroker",
        # One slot is one cluster of one worker: a death concerns one job.
        "workers": 1,
        "queue_limit": 1,
        "bulk": 1,
        "recycle": 1_000_000,  # its way of recycling can hang; the supervisor restarts instead
        # Never reached: our own deadline ends FFmpeg, theirs would leave it running.
        "timeout": 86_000,
        "retry": 86_400,
        "max_attempts": 1,
        "ack_failures": True,
        "save_limit": -1,
        "catch_up": False,
        "scheduler": False,
        "guard_cycle": 0.5,
        "log_level": "WARNING",
        "ALT_CLUSTERS": {lane: {} for lane in lanes},
    }
