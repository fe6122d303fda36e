"""What is wrong with an operation's parameters, named by field; no HTTP here."""

from __future__ import annotations

from collections.abc import Iterable


class InvalidParams(ValueError):  # noqa: N818 -- a noun that the API repeats
    """``field`` is the tail of a JSON Pointer into the parameters: "filters/0/params/text"."""

    def __init__(self, field: str, detail: str, code: str = "invalid") -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail
        self.code = code


class InvalidParamsGroup(ValueError):  # noqa: N818 -- as above
    """Everything that is wrong at once."""

    def __init__(self, errors: Iterable[InvalidParams]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


class UnknownOperation(LookupError):  # noqa: N818 -- as above
    """There is no operation of that name."""
