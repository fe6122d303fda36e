"""The one way in for bytes from outside, whichever way they came: checked, described, stored."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from accounts.models import Tenant
from storage import hooks, sniff, store
from storage.models import File
from storage.sniff import Kind, Refused

logger = logging.getLogger(__name__)


def take_in(  # noqa: PLR0913 -- what a file is said to be, by name
    tenant: Tenant,
    path: Path,
    *,
    name: str,
    origin: str,
    tags: Iterable[str] = (),
    metadata: dict[str, Any] | None = None,
) -> File:
    """Check and store what a client sent; the file is not visible before ``store.publish``.

    ``name`` is clean already. ``path`` is gone afterwards unless ``Refused`` is raised.
    """
    with path.open("rb") as content:
        sniffed = sniff.sniff(content.read(sniff.HEAD_BYTES), name)
    media = _described(path) if sniffed.kind is Kind.MEDIA else None
    file = store.add(
        tenant,
        path,
        name=name,
        origin=origin,
        content_type=sniffed.content_type,
        media=media,
        tags=tags,
        metadata=metadata,
    )
    facts = {"action": "file.add", "tenant": tenant.pk, "file": file.pk, "bytes": file.size_bytes}
    logger.info("file stored", extra=facts)
    return file


def _described(path: Path) -> dict[str, Any] | None:
    try:
        return hooks.inspect(path)
    except hooks.Unreadable as unreadable:
        raise Refused(unreadable.detail, "media_unreadable") from unreadable
