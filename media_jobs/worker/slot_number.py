"""Which number a slot has on its host, where nobody gives it one.

Slots in containers of their own are started alike and still share a host: its memory, its CPUs and
its scratch disk are counted by the host's name, and what they are called must differ.
"""

from __future__ import annotations

import fcntl
import os

from django.conf import settings

from media_jobs.worker import host


def take(lane: str) -> int:
    """Give the first number that no other slot of this host and lane has.

    It is this process's, and its children's, until they end: the kernel lets go of it then.
    """
    folder = settings.DATA_DIR / "slots"
    folder.mkdir(mode=0o700, exist_ok=True)
    number = 0
    while True:
        number += 1
        held = os.open(folder / f"{host.name()}-{lane}-{number}", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
        else:
            return number
