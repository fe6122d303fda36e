"""What a stranger's file is, before anything decodes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from storage.intake import declared_type as declared
from storage.intake import external_references, virus_scan
from storage.intake.sniff import FileRefused, Sniffed, head_of, sniff


def check(
    path: Path,
    *,
    name: str,
    declared_type: str = "",
    on_wait: Callable[[], object] = lambda: None,
) -> Sniffed:
    """Tell what a file is by its bytes, held against its name, with nothing decoded.

    ``declared_type`` is the Content-Type it came with. ``on_wait`` is called through all that may
    take long. Raises a ``Refusal``, and ``ScannerUnavailable`` where a scan is wanted and can't be
    had.
    """
    if declared.is_playlist(declared_type):
        detail = f"{declared_type} names other files; send the media"
        raise FileRefused("playlist_refused", detail)
    with path.open("rb") as content:
        sniffed = sniff(head_of(content), name)
        outside = external_references.found_in(content, on_wait)
    if outside is not None:
        raise FileRefused("playlist_refused", outside)
    if declared.contradicts(declared_type, sniffed.content_type):
        detail = f"it was sent as {declared_type}, but is {sniffed.content_type}"
        raise FileRefused("media_type_mismatch", detail)
    if settings.ENABLE_VIRUS_SCANNING:
        virus_scan.scan(path, on_wait)
    return sniffed
