from __future__ import annotations

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoUploads(FileUploadHandler):
    """Stop reading a form at the first file in it: files are taken only where they are counted.

    Django parses a form for its CSRF token before any view has a say, so whoever sends one could
    have its files written to our disk.
    """

    def new_file(self, *_: Any, **__: Any) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never comes to it."""

    def file_complete(self, file_size: int) -> None:
        """Never comes to it."""
