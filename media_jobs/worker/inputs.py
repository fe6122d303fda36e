"""Bring a job's inputs into its scratch folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol
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
from storage import intake, store
from storage.intake import Kind
from storage.models import File
from storage.names import clean_name


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


@dataclass(frozen=True)
class Inputs:
    sources: dict[str, Source]
    size_bytes: int
    sha256: dict[str, str]
    """Of those that were stored, by their roles."""


def gather(job: Job, folder: Path, on_bytes: Callable[[int, int | None], None]) -> Inputs:
    """Bring every input of ``job`` into its folder; raises what `bring` does."""
    return bring(job.inputs.select_related("file").order_by("id"), folder, on_bytes)


def bring(
    inputs: Iterable[InputSpec],
    folder: Path,
    on_bytes: Callable[[int, int | None], None],
    *,
    look: probe.Look = probe.look,
) -> Inputs:
    """Place the files and fetch the addresses.

    ``on_bytes`` is called at least twice a second; what it raises ends the fetching. Raises
    `Missing` for a deleted file, another `Refusal` for an address and what it gave, and
    `ScannerUnavailable` where a scan can't be had.
    """
    sources, sha256 = {}, {}
    size_bytes = 0
    for position, spec in enumerate(inputs):
        named = spec.file.name if spec.file else urlsplit(spec.url).path
        path = scratch.input_path(position, named)
        try:
            if spec.url:
                source = _download(spec, path, folder, on_bytes, look)
            else:
                source = _place(spec, path, folder, on_bytes)
        except Missing:
            raise
        except Refusal as refused:
            refused.detail = f"{spec.role}: {refused.detail}"
            raise
        sources[spec.role] = source
        if spec.file is not None:
            sha256[spec.role] = spec.file.sha256
        size_bytes += (folder / source.path).stat().st_size
    return Inputs(sources, size_bytes, sha256)


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


def _download(
    spec: InputSpec,
    path: str,
    folder: Path,
    on_bytes: Callable[[int, int | None], None],
    look: probe.Look,
) -> Source:
    # A new file: whatever already lies there, a link above all, is not ours to write to.
    with room_on(folder) as room, room.create(folder / path) as target:
        got = netguard.download(
            spec.url,
            target,
            policy=url_policy(),
            max_bytes=settings.MAX_FILE_SIZE_BYTES,
            timeout_s=settings.DOWNLOAD_TIMEOUT_SECONDS,
            on_progress=on_bytes,
        )
    watch = partial(on_bytes, got.size_bytes, got.size_bytes)
    # Looked at as at an upload; where it came from is no promise.
    name, declared_type = clean_name(got.name), got.content_type or ""
    found = intake.check(folder / path, name=name, declared_type=declared_type, on_wait=watch)
    if found.kind is not Kind.MEDIA:
        raise Refusal("not_a_medium", f"{name} is {found.content_type}, which is not a medium")
    (folder / path).chmod(0o644)  # for the sandbox's user
    info = look(folder, path, watch)
    return Source(path=path, info=info, name=got.name, role=spec.role)
