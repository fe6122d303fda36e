from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    allow_private: bool = False
    """Private networks and this machine too; never link-local or cloud metadata addresses."""
    allowlist: frozenset[str] = frozenset()
    """``host:port`` as URLs spell it (IPv6 in brackets); these are not checked further."""


class Refused(ValueError):  # noqa: N818 - it names what happened, as the others in this house do
    """A URL, or what its server answered, is not acceptable; ``detail`` is fit for the user.

    ``is_passing``: the same may go well later, as where a server is overloaded or a line was cut.
    ``retry_after_s`` is how long such a server asks to be left alone, unbounded.
    """

    is_passing = False

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        is_passing: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.is_passing = self.is_passing if is_passing is None else is_passing
        self.retry_after_s = retry_after_s
