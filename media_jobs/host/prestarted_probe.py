"""An ffprobe that is ready to look at a file that is still being written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from media_jobs import sandbox
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import probe
from media_jobs.sandbox.start_barrier import Gate


class PrestartedProbe:
    """Started at once; it waits for `look`, though no longer than any probe may take."""

    def __init__(self, folder: Path, path: str) -> None:
        self._path = path
        self._gate = Gate(folder)
        try:
            self._process = probe.start(folder, path, gate=self._gate)
        except BaseException:
            self._gate.close()
            raise

    def look(self, watch: Callable[[], object]) -> MediaInfo | None:
        """Describe the file as it is now; None where this ffprobe can't say.

        ``watch`` is called at least twice a second; what it raises ends the probe and comes
        through.
        """
        try:
            self._gate.open()
            done = sandbox.finish(self._process, watch)
            return probe.described(done, self._path) if self._gate.was_passed() else None
        except probe.Unreadable:
            return None  # it waited too long, or was killed, or is right: not for this one to say
        finally:
            self._gate.close()

    def discard(self) -> None:
        self._gate.close()
        with self._process.stdout, self._process.stderr:
            self._process.kill()
            self._process.wait()
