"""A multipart body (RFC 7578), written to the disk while it arrives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.http import parse_header_parameters

from ffapi_site.lib.problems import Invalid, Malformed, TooLarge, invalid
from storage.intake.landing import Landing, too_large

_PROLOGUE_BYTES = 64 * 1024
_EPILOGUE_BYTES = 4096
_NO_FILE = "send the bytes as a part named file that has a filename"


@dataclass(frozen=True)
class Part:
    """The file of a body, written down; ``name`` and type are what the client says of it."""

    name: str
    declared_type: str
    sha256: str
    fields: QueryDict


class _ToDisk(FileUploadHandler):
    """Takes the one part named ``file``; hashes and measures it on the way to the disk."""

    chunk_size = 256 * 1024

    def __init__(self, landing: Landing) -> None:
        super().__init__()
        self.landing = landing
        self.handle: BinaryIO | None = None
        self.name = ""
        self.declared_type = ""
        self.digest = hashlib.sha256()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != "file":
            raise invalid(
                f"/{_text(str(self.field_name))}", "there is no such file field", "unknown_field"
            )
        if self.handle:
            raise invalid("/file", "send one file a request", "too_many_files")
        self.name = _text(str(self.file_name))
        self.declared_type = str(self.content_type or "").strip().lower()
        self.handle = self.landing.create()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > self.landing.most_bytes:
            raise too_large(self.landing.most_bytes)
        assert self.handle  # noqa: S101 -- new_file came first
        self.handle.write(raw_data)
        self.digest.update(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Leave the file to ``receive``; Django needs no object of it."""

    def close(self) -> None:
        if self.handle:
            self.handle.close()


class _Parser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        return file_name  # Django would drop some names and rewrite others; ours are cleaned later


def _text(read: str) -> str:
    """What stood there in UTF-8, and was read as Latin-1, in which all bytes stay."""
    return read.encode("latin-1").decode()


class _Ends:
    """The body as Django's parser reads it; remembers its ends, of which the parser is silent."""

    def __init__(self, body: HttpRequest) -> None:
        self._body = body
        self.first = b""
        self.last = b""

    def read(self, size: int | None = None, /) -> bytes:
        part: bytes = self._body.read(size)
        self.first += part[: _PROLOGUE_BYTES - len(self.first)]
        self.last = (self.last + part)[-_EPILOGUE_BYTES:]
        return part


def receive(request: HttpRequest, to: Landing) -> Part:
    """Write the file of a multipart body down. Raises a ``Problem`` for any other body."""
    handler, body = _ToDisk(to), _Ends(request)
    # The parser takes a missing length for an empty body; chunked bodies have none.
    meta = request.META | {"CONTENT_LENGTH": request.META.get("CONTENT_LENGTH") or "1"}
    try:
        # Of UTF-8 the parser would replace what is none, without a word.
        fields, _ = _Parser(meta, cast("HttpRequest", body), [handler], "latin-1").parse()
    except UnreadablePostError as error:
        raise Malformed("the body ended early", code="body_incomplete") from error
    except MultiPartParserError as error:
        raise _not_utf8(body.first) or Malformed(str(error), code="bad_multipart") from error
    except RequestDataTooBig as error:
        raise TooLarge(str(error)) from error
    except SuspiciousOperation as error:  # too many fields
        raise Malformed(str(error), code="bad_multipart") from error
    finally:
        handler.close()
    boundary = parse_header_parameters(request.META["CONTENT_TYPE"])[1]["boundary"]
    if f"--{boundary}--".encode() not in body.last:
        raise Malformed("the body has no closing boundary", code="body_incomplete")
    if not handler.handle:
        raise _not_utf8(body.first) or invalid("/file", _NO_FILE, "required")
    read = _as_utf8(fields)
    return Part(handler.name, handler.declared_type, handler.digest.hexdigest(), read)


def _not_utf8(first: bytes) -> Invalid | None:
    """Say that a header is in another encoding, where one is.

    The parser passes over it, and reads on in the file: it finds nothing there or, in a larger
    one, a header without an end.
    """
    for line in first.split(b"\r\n"):
        if line[:20].lower() == b"content-disposition:":
            try:
                line.decode()
            except UnicodeDecodeError:
                detail = "the filename of a part is not in UTF-8, as RFC 7578 has it"
                return invalid("/file", detail, "not_utf8")
    return None


def _as_utf8(fields: QueryDict) -> QueryDict:
    """Read the texts, which came as bytes; raises ``Invalid`` for one that is none."""
    read = QueryDict(mutable=True)
    for name, values in fields.lists():
        try:
            read.setlist(_text(name), [_text(str(value)) for value in values])
        except UnicodeDecodeError as error:
            raise invalid(f"/{_text(name)}", "this text is not in UTF-8", "not_utf8") from error
    return read
