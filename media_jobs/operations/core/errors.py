"""What is wrong with an operation's parameters, named by field; no HTTP here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ffapi_site.lib.refusal import Refusal


class InvalidParams(Refusal):
    """``field`` is the tail of a JSON Pointer into the parameters: "filters/0/params/text"."""

    def __init__(self, field: str, detail: str, code: str = "invalid") -> None:
        super().__init__(code, detail)
        self.field = field

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


@contextmanager
def in_field(field: str) -> Iterator[None]:
    """Turn a refusal inside into one of ``field``, or of the part of it that it names."""
    try:
        yield
    except InvalidParams as refused:
        place = f"{field}/{refused.field}"
        raise InvalidParams(place, refused.detail, refused.code) from refused
    except Refusal as refused:
        raise InvalidParams(field, refused.detail, refused.code) from refused


class InvalidParamsGroup(ValueError):  # noqa: N818 -- as above
    """Everything that is wrong at once."""

    def __init__(self, errors: Iterable[InvalidParams]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


class UnknownOperation(LookupError):  # noqa: N818 -- as above
    """There is no operation of that name."""
