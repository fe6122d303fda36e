"""What a job's measuring commands have found, kept so that another attempt need not ask again."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.functional import cached_property

from ffapi_site.lib.shorten import fits
from media_jobs.engine import lease
from media_jobs.ffmpeg.command import Command
from media_jobs.host import toolchain
from media_jobs.models import Job, JobStep
from media_jobs.models.attempt import ANSWER_BYTES
from media_jobs.worker.inputs import Inputs

logger = logging.getLogger(__name__)


@dataclass
class Answers:
    """An answer holds for the very bytes, command and FFmpeg that it came of, and for no others.

    What an address gives may be another file in the next attempt, a device another command.
    ``folder`` and ``watch`` are the attempt's.
    """

    job: Job
    folder: Path
    inputs: Inputs
    watch: Callable[[], object]

    def find(self, position: int, command: Command) -> list[Any]:
        """Give the one answer that an earlier attempt had, or none."""
        if self.job.attempt == 1 or not _measures(command):
            return []
        kept = JobStep.objects.filter(job=self.job, position=position, about=self._about(command))
        return list(kept.values_list("answer", flat=True))

    def keep(self, position: int, command: Command, answer: Any) -> None:
        """Write down what ``command`` has found. Raises `lease.Lost`.

        While the database is away it is not, nor where it is too large: an answer saves work, and
        no more than that.
        """
        if not _measures(command) or not fits(answer, ANSWER_BYTES):
            return
        values = {"answer": answer, "attempt": self.job.attempt, "about": self._about(command)}
        try:
            with transaction.atomic():
                lease.hold(self.job)
                JobStep.objects.update_or_create(job=self.job, position=position, defaults=values)
        except (OperationalError, InterfaceError):
            logger.warning("An answer could not be kept", extra={"job": self.job.id})
            connection.close()

    def _about(self, command: Command) -> str:
        version = toolchain.for_command(command).capabilities.version
        asked = [version, command.program, *command.args]
        return hashlib.sha256(json.dumps([asked, self._inputs]).encode()).hexdigest()

    @cached_property
    def _inputs(self) -> list[tuple[str, str]]:
        """Path and digest of each."""
        inputs = self.inputs
        return sorted((inputs.sources[role].path, told) for role, told in inputs.digests.items())


def _measures(command: Command) -> bool:
    """Files that a command has left are gone with the folder of its attempt."""
    return command.parse is not None and not command.outputs
