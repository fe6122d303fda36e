"""From files in a scratch folder to files of a tenant: verified, stored, then published at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.db import InterfaceError, OperationalError, connection, models

from accounts.quotas.bounds import Bounds
from ffapi_site.lib.refusal import Refusal
from media_jobs.ffmpeg import verify
from media_jobs.ffmpeg.command import OutputFile
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import probe
from media_jobs.models import Job, JobOutput, Status
from media_jobs.planning import media_limits
from storage import intake, names, store
from storage.models import File

logger = logging.getLogger(__name__)


class Unverified(Refusal):
    """FFmpeg ended well, but what it left is not what was planned"""

    def __init__(self, detail: str) -> None:
        super().__init__("output_unverified", detail)


@dataclass
class Outputs:
    """The outputs of one attempt, stored but not yet visible."""

    files: list[tuple[OutputFile, File]] = field(default_factory=list)
    checks: list[dict[str, object]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for _, file in self.files)

    def publish(self, job: Job) -> None:
        """Make all of them visible. Part of the transaction that completes the job."""
        for position, (output, file) in enumerate(self.files):
            store.publish(file)
            JobOutput.objects.create(job=job, position=position, role=output.role, file=file)

    def discard(self) -> None:
        """Remove those that are not visible; what can't be asked about is left to the sweep."""
        try:
            for _, file in self.files:
                store.discard(file)
        except (OperationalError, InterfaceError):
            logger.warning("Outputs of a lost attempt are left", extra={"files": len(self.files)})
            connection.close()


def keep(
    job: Job,
    folder: Path,
    outputs: Iterable[OutputFile],
    allowed: Bounds,
    *,
    watch: Callable[[], object] = lambda: None,
) -> Outputs:
    """Verify and store what the attempt left; ``watch`` is called at least twice a second.

    Raises `Unverified`, `InvalidParams` for what is larger than the tenant or its key may make, and
    `QuotaExceeded` where there is no room for it; nothing is stored then. So it is where ``watch``
    raises, which comes through.
    """
    wanted = list(outputs)
    named = _names(job.output_name, wanted)
    made = Outputs()
    infos = [
        _verify(
            folder / output.path,
            output,
            name,
            made,
            lambda path: probe.probe_in(folder, path, watch=watch),
        )
        for output, name in zip(wanted, named, strict=True)
    ]
    for output, info in zip(wanted, infos, strict=True):
        if info is not None:
            is_picture = output.content_type.startswith("image/")
            media_limits.check_media(output.role, info, allowed, is_picture=is_picture)
    try:
        for output, name, info in zip(wanted, named, infos, strict=True):
            media = None if info is None else info.to_json()
            path = folder / output.path
            file = intake.take_output(
                job.tenant_id, job.api_key_id, path, name=name, media=media, watch=watch
            )
            made.files.append((output, file))
    except BaseException:
        made.discard()
        raise
    return made


def _verify(
    path: Path,
    output: OutputFile,
    name: str,
    made: Outputs,
    look: Callable[[str], MediaInfo],
) -> MediaInfo | None:
    size_bytes = path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    info = None
    if size_bytes and output.streams is not None:
        try:
            info = look(output.path)
        except probe.Unreadable as unreadable:
            raise Unverified(f"{name}: {unreadable.detail}") from unreadable
    found = verify.check(output, info, size_bytes)
    if found.problems:
        raise Unverified(f"{name}: {'; '.join(found.problems)}")
    made.checks.append({"output": name, "passed": list(found.checks)})
    made.warnings += found.warnings
    return info


def _names(wanted: str, outputs: list[OutputFile]) -> list[str]:
    """The names to publish under: the one asked for, numbered where there are several outputs.

    A source's name may be as long as a name can be: what is made of it has to be shortened.
    """
    paths = [PurePosixPath(output.name) for output in outputs]
    if not wanted:
        return [names.with_ending(path.stem, path.suffix) for path in paths]
    stem = PurePosixPath(wanted).stem
    if len(paths) == 1:
        return [names.with_ending(stem, paths[0].suffix)]
    return [
        names.with_ending(stem, f"-{number}{path.suffix}")
        for number, path in enumerate(paths, start=1)
    ]


def in_use(files: models.QuerySet[File]) -> models.QuerySet[File]:
    """Those of ``files`` that a job which has not ended is going to read."""
    return files.filter(read_by__job__status__in=[Status.QUEUED, Status.RUNNING])
