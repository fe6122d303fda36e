"""Errors as RFC 9457 problem details: one base class, one way to say what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

from ffapi_site.lib.refusal import Refusal

# An answer must not be many times as large as the request that it is about.
MOST_ERRORS = 100
_LONGEST_DETAIL = 2000


def pointer_token(name: str) -> str:
    """One reference token of a JSON Pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True)
class FieldError:
    """One wrong field: ``pointer`` is a JSON Pointer (RFC 6901) into the request's body."""

    pointer: str
    detail: str
    code: str = "invalid"

    def to_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail, "code": self.code}


class Problem(Exception):  # noqa: N818 -- RFC 9457's word
    """Something went wrong"""

    status: ClassVar[int] = 400
    code: str = "bad_request"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: Iterable[FieldError] = (),
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = tuple(islice(errors, MOST_ERRORS))
        self.headers = headers or {}
        self.members = members

    @property
    def title(self) -> str:
        return (type(self).__doc__ or self.code).strip().splitlines()[0]

    def to_json(self, request_id: str) -> dict[str, Any]:
        detail = self.detail or self.title
        if len(detail) > _LONGEST_DETAIL:
            detail = detail[: _LONGEST_DETAIL - 1] + "…"
        body: dict[str, Any] = {
            "type": f"/docs/errors#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": detail,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = [error.to_json() for error in self.errors]
        return body | self.members


class Malformed(Problem):
    """The request can't be read"""

    code = "malformed"


class Unauthenticated(Problem):
    """A valid API key is needed"""

    status = 401
    code = "unauthenticated"


class Forbidden(Problem):
    """This key may not do that"""

    status = 403
    code = "forbidden"


class NotFound(Problem):
    """There is nothing here"""

    status = 404
    code = "not_found"


class MethodNotAllowed(Problem):
    """That method is not for this address"""

    status = 405
    code = "method_not_allowed"


class NotAcceptable(Problem):
    """No representation fits the Accept header"""

    status = 406
    code = "not_acceptable"


class Conflict(Problem):
    """The state of the thing does not allow it"""

    status = 409
    code = "conflict"


class TooLarge(Problem):
    """The body is too large"""

    status = 413
    code = "too_large"


class UnsupportedMediaType(Problem):
    """The body's content type is not one that is read here"""

    status = 415
    code = "unsupported_media_type"


class RangeNotSatisfiable(Problem):
    """The range lies outside the content"""

    status = 416
    code = "range_not_satisfiable"


class Invalid(Problem):
    """The request is well formed but can't be carried out"""

    status = 422
    code = "invalid"


class TooManyRequests(Problem):
    """Too many requests"""

    status = 429
    code = "rate_limited"


class Unavailable(Problem):
    """The service can't answer just now"""

    status = 503
    code = "unavailable"


def invalid(pointer: str, detail: str, code: str = "invalid") -> Invalid:
    return Invalid(detail, errors=[FieldError(pointer, detail, code)])


@contextmanager
def at(pointer: str) -> Iterator[None]:
    """Turn a refusal inside into the 422 that names the field at ``pointer``."""
    try:
        yield
    except Refusal as refused:
        raise invalid(pointer, refused.detail, refused.code) from refused
