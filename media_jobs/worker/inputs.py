"""Bring a job's inputs into its scratch folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from django.conf import settings

from ffapi_site.lib import netguard
from ffapi_site.lib.refusal import Refusal
from ffapi_site.lib.room import room_on
from ffapi_site.lib.url_policy import url_policy
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.host import probe, scratch
from media_jobs.models import Job
from media_jobs.operations.core import Source
from media_jobs.worker.remote_input import RemoteInput
from storage import intake, store
from storage.intake import Kind
from storage.models import File
from storage.names import clean_name

T = TypeVar("T")


class InputSpec(Protocol):
    """An input as a job's row or a plan names it."""

    @property
    def role(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def file(self) -> File | None: ...


class Missing(Refusal):
    """An input is gone"""

    def __init__(self, detail: str) -> None:
        super().__init__("input_deleted", detail)


@dataclass
class Inputs:
    sources: dict[str, Source] = field(default_factory=dict)
    size_bytes: int = 0
    digests: dict[str, str] = field(default_factory=dict)
    """By their roles: what is the same has the same bytes."""
    in_parts: list[RemoteInput] = field(default_factory=list)

    def read_by(self, run: Callable[[], T]) -> T:
        """Give what ``run`` gives, which reads the inputs; it may be run more than once."""
        for remote in self.in_parts:
            run = partial(remote.read_by, run)
        return run()


def gather(
    job: Job, folder: Path, on_bytes: Callable[[int, int | None], None], *, reads_all: bool
) -> Inputs:
    """Bring every input of ``job`` into its folder; raises what `bring` does."""
    rows = job.inputs.select_related("file").order_by("id")
    return bring(rows, folder, on_bytes, reads_all=reads_all)


def bring(
    inputs: Iterable[InputSpec],
    folder: Path,
    on_bytes: Callable[[int, int | None], None],
    *,
    look: probe.Look = probe.look,
    reads_all: bool,
) -> Inputs:
    """Place the files and fetch the addresses, of which a part does unless ``reads_all``.

    Whatever reads such a one goes through `Inputs.read_by`. ``on_bytes`` is called at least twice a
    second; what it raises ends the fetching. Raises `Missing` for a deleted file, another `Refusal`
    for an address and what it gave, and `ScannerUnavailable` where a scan can't be had.
    """
    brought = Inputs()
    fetching = _Fetching(folder, on_bytes, look, reads_all or settings.ENABLE_VIRUS_SCANNING)
    for position, spec in enumerate(inputs):
        named = spec.file.name if spec.file else urlsplit(spec.url).path
        path = scratch.input_path(position, named)
        try:
            if spec.url:
                source = fetching.source(spec, path, brought)
            else:
                source = _place(spec, path, folder, on_bytes)
        except Missing:
            raise
        except Refusal as refused:
            refused.detail = f"{spec.role}: {refused.detail}"
            raise
        brought.sources[spec.role] = source
        if spec.file is not None:
            brought.digests[spec.role] = spec.file.sha256
        brought.size_bytes += (folder / source.path).stat().st_size
    return brought


def _place(
    spec: InputSpec, path: str, folder: Path, on_bytes: Callable[[int, int | None], None]
) -> Source:
    if spec.file is None:
        raise Missing("the file was deleted before the job could read it")
    try:
        store.place(spec.file, folder / path, lambda: on_bytes(0, None))
    except store.Gone as gone:
        detail = "the file's bytes are missing from the storage, or damaged there"
        raise Missing(detail) from gone
    info = MediaInfo.from_json(spec.file.media or {})
    return Source(path=path, info=info, name=spec.file.name, role=spec.role)


@dataclass(frozen=True)
class _Fetching:
    """Brings what is behind an address."""

    folder: Path
    on_bytes: Callable[[int, int | None], None]
    look: probe.Look
    reads_all: bool

    def source(self, spec: InputSpec, path: str, brought: Inputs) -> Source:
        place = self.folder / path
        # A new file: whatever already lies there, a link above all, is not ours to write to.
        with room_on(self.folder) as room, room.create(place, mode="x+b") as target:
            fetch = netguard.download if self.reads_all else netguard.begin
            got = fetch(
                spec.url,
                target,
                policy=url_policy(),
                max_bytes=settings.MAX_FILE_SIZE_BYTES,
                timeout_s=settings.DOWNLOAD_TIMEOUT_SECONDS,
                on_progress=self.on_bytes,
            )
        place.chmod(0o644)  # for the sandbox's user
        if isinstance(got, netguard.Downloaded):
            brought.digests[spec.role] = got.sha256
            self._check(got, place)
            info = self._look(got, path)
            return Source(path=path, info=info, name=got.name, role=spec.role)
        remote = RemoteInput(place, got)
        brought.in_parts.append(remote)
        brought.digests[spec.role] = remote.digest
        remote.read_by(lambda: self._check(got.found, place))
        info = remote.read_by(lambda: self._look(got.found, path))
        return Source(path=path, info=info, name=got.found.name, role=spec.role)

    def _check(self, got: netguard.Downloaded, place: Path) -> None:
        """As of an upload; where it came from is no promise."""
        name, declared_type = clean_name(got.name), got.content_type or ""
        watch = self._watch(got)
        found = intake.check(place, name=name, declared_type=declared_type, on_wait=watch)
        if found.kind is not Kind.MEDIA:
            raise Refusal("not_a_medium", f"{name} is {found.content_type}, which is not a medium")

    def _look(self, got: netguard.Downloaded, path: str) -> MediaInfo:
        return self.look(self.folder, path, self._watch(got))

    def _watch(self, got: netguard.Downloaded) -> Callable[[], None]:
        return partial(self.on_bytes, got.size_bytes, got.size_bytes)
