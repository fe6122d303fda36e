"""Where the bytes of files are kept: on a disk of ours, or behind any storage of Django's.

``STORAGES["media"]`` says which. An object is written once under its key, by the row that owns it.
"""

from __future__ import annotations

from django.core.files.storage import storages

from storage.backends.backend import Backend
from storage.backends.django_storage import DjangoStorage
from storage.backends.local import LocalDisk

__all__ = ["Backend", "media"]


def media() -> Backend:
    """Give the back end of ``STORAGES["media"]``: the local one where its objects have paths."""
    storage = storages["media"]
    try:
        storage.path("")
    except NotImplementedError:
        return DjangoStorage(storage)
    return LocalDisk(storage)
