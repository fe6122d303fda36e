"""The one way in for bytes from outside, whichever way they came: checked, described, stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.models import Tenant
from storage import declared_type as declared
from storage import external_references, hooks, sniff, store, virus_scan
from storage.models import File
from storage.sniff import Kind, Refused, Sniffed

logger = logging.getLogger(__name__)


def take_in(  # noqa: PLR0913 -- what a file is said to be, by name
    tenant: Tenant,
    path: Path,
    *,
    name: str,
    origin: str,
    declared_type: str = "",
    tags: Iterable[str] = (),
    metadata: dict[str, Any] | None = None,
    api_key_id: str | None = None,
    hold: str = "",
) -> File:
    """Check and store what a client sent; the file is not visible before ``store.publish``.

    ``name`` is clean already. ``path`` is gone afterwards unless what ``check`` does is raised.
    """
    sniffed = check(path, name=name, declared_type=declared_type)
    media = _described(path, tenant.pk) if sniffed.kind is Kind.MEDIA else None
    file = store.add(
        tenant.pk,
        path,
        name=name,
        origin=origin,
        content_type=sniffed.content_type,
        media=media,
        tags=tags,
        metadata=metadata,
        api_key_id=api_key_id,
        hold=hold,
    )
    facts = {"action": "file.add", "tenant": tenant.pk, "file": file.pk, "bytes": file.size_bytes}
    logger.info("file stored", extra=facts)
    return file


def check(
    path: Path,
    *,
    name: str,
    declared_type: str = "",
    on_wait: Callable[[], object] = lambda: None,
) -> Sniffed:
    """Tell what a stranger's file is, with nothing decoded: by its bytes, held against its name.

    ``declared_type`` is the Content-Type it came with. ``on_wait`` is called through all that may
    take long. Raises ``Refused``, and ``ScannerUnavailable`` where a scan is wanted and can't be
    had.
    """
    if declared.is_playlist(declared_type):
        raise Refused(f"{declared_type} names other files; send the media", "playlist_refused")
    with path.open("rb") as content:
        sniffed = sniff.sniff(content.read(sniff.HEAD_BYTES), name)
        outside = external_references.found_in(content, on_wait)
    if outside is not None:
        raise Refused(outside, "playlist_refused")
    if declared.contradicts(declared_type, sniffed.content_type):
        detail = f"it was sent as {declared_type}, but is {sniffed.content_type}"
        raise Refused(detail, "media_type_mismatch")
    _scan(path, on_wait)
    return sniffed


def _scan(path: Path, on_wait: Callable[[], object]) -> None:
    if not settings.ENABLE_VIRUS_SCANNING:
        return
    try:
        virus_scan.scan(path, on_wait)
    except virus_scan.NotClean as verdict:
        raise Refused(verdict.detail, verdict.code) from verdict


def _described(path: Path, tenant_id: str) -> dict[str, Any] | None:
    try:
        return hooks.inspect(path, tenant_id)
    except hooks.Unreadable as unreadable:
        raise Refused(unreadable.detail, unreadable.code) from unreadable
