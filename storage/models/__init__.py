from __future__ import annotations

from storage.models.file import File, FileQuerySet

__all__ = ["File", "FileQuerySet"]
