"""``python -m ffapi_site.serving.database``: keep the embedded PostgreSQL running until SIGTERM.

It watches the server instead of being its parent: one that a command started is looked after too,
and the server outlives a restart of this program.
"""

from __future__ import annotations

import logging
import logging.config
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ffapi_site.database import embedded

logger = logging.getLogger(__name__)

_LOOKS_EVERY_S = 0.5
_STEADY_AFTER_S = 30.0
_LONGEST_PAUSE_S = 5.0


def keep(folder: Path, stopping: threading.Event) -> None:
    """Start the server whenever it does not run; stop it once ``stopping`` is set.

    What ends soon after its start, or does not start at all, is tried again at growing intervals:
    with a full disk, for example, it comes up within seconds of there being room.
    """
    pauses_s = _pauses_s()
    while not stopping.is_set():
        if _lasted_s(folder, stopping) > _STEADY_AFTER_S:
            pauses_s = _pauses_s()
        stopping.wait(next(pauses_s))
    embedded.stop(folder)


def _pauses_s() -> Iterator[float]:
    pause_s = 0.25
    yield 0.0
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _lasted_s(folder: Path, stopping: threading.Event) -> float:
    """Start the server and wait for its end; give for how long it ran."""
    began = time.monotonic()
    try:
        embedded.start(folder)
        began = time.monotonic()
        while embedded.is_running(folder):
            if stopping.wait(_LOOKS_EVERY_S):
                return time.monotonic() - began
    except Exception:  # whatever it is: to give up would leave the site without a database
        logger.exception("The database can't be kept running")
        return 0.0
    lasted_s = time.monotonic() - began
    logger.critical("The database ended by itself", extra={"lasted_s": round(lasted_s, 1)})
    return lasted_s


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
    from django.conf import settings  # noqa: PLC0415 -- reads the environment made above

    logging.config.dictConfig(settings.LOGGING)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    keep(Path(settings.DATABASES["default"]["FOLDER"]), stopping)


if __name__ == "__main__":
    main()
