"""What storage asks of the apps above it; they fill these in from their ``ready()``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from storage.models import File


def _no_summary(_path: Path, _tenant_id: str) -> dict[str, Any] | None:
    return None


def _none_in_use(_files: QuerySet[File]) -> QuerySet[File]:
    return File.objects.none()


inspect: Callable[[Path, str], dict[str, Any] | None] = _no_summary
"""Summarise the media in a tenant's local file; None for what has no streams.

Raises a ``Refusal`` where they can't be read, and a ``Problem`` where there was no place to look.
"""

in_use: Callable[[QuerySet[File]], QuerySet[File]] = _none_in_use
"""Those of the given files that must stay, because unfinished work reads or writes them."""
