"""Have a program load its libraries ahead of its work, and hold it there until it is let in."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from media_jobs.sandbox import layers
from media_jobs.sandbox.allowed_paths import Place, Use

_QUIET: Final = -8  # AV_LOG_QUIET
_REPORT_BYTES: Final = 1 << 16


class Gate:
    """Where one of FFmpeg's programs waits, just loaded, before it looks at its arguments.

    First of all it opens the file that ``FFREPORT`` names, in order to write its command line
    there. That file is a FIFO, and who opens one for writing waits for a reader. It lies in
    ``in/``, where no sandboxed process but the one that is given this gate may write.
    """

    def __init__(self, folder: Path) -> None:
        self.place = Place(f"in/gate-{secrets.token_hex(4)}", Use.REWRITE)
        self._path = folder / self.place.path
        self._reader: int | None = None
        os.mkfifo(self._path, 0o600)
        uid = layers.target_uid()
        if uid is not None:
            os.chown(self._path, -1, uid)
            self._path.chmod(0o620)  # not to be read: who reads it opens the gate

    @property
    def environment(self) -> dict[str, str]:
        return {"FFREPORT": f"file={self.place.path}:level={_QUIET}"}

    def open(self) -> None:
        # Writable as well, or it would have ended before the program came by.
        self._reader = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)

    def was_passed(self) -> bool:
        """Whether the program came by here; else it may have gone on before the gate was open."""
        if self._reader is None:
            return False
        try:
            return bool(os.read(self._reader, _REPORT_BYTES))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Remove it; a program that still waits goes on waiting."""
        if self._reader is not None:
            os.close(self._reader)
            self._reader = None
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
