"""Which number a slot has on its host, where nobody gives it one.

Slots in containers of their own are started alike and still share a host: its memory, its CPUs and
its scratch disk are counted by the host's name, and what they are called must differ.
"""

from __future__ import annotations

import os

from django.conf import settings

from ffapi_site.lib import locks
from media_jobs.host import machine


def take(lane: str) -> int:
    """Give the first number that no other slot of this host and lane has.

    It is this process's, and its children's, until they end: the kernel lets go of it then.
    """
    folder = settings.DATA_DIR / "slots"
    folder.mkdir(mode=0o700, exist_ok=True)
    number = 0
    while True:
        number += 1
        held = locks.opened(folder / f"{machine.name()}-{lane}-{number}")
        if locks.gets(held, within_s=0):
            return number
        os.close(held)
