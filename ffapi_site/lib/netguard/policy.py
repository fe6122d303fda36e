from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    allow_private: bool = False
    """Private networks and this machine too; never link-local or cloud metadata addresses."""
    allowlist: frozenset[str] = frozenset()
    """``host:port`` as URLs spell it (IPv6 in brackets); these are not checked further."""


class Refused(ValueError):  # noqa: N818 - it names what happened, as the others in this house do
    """A URL, or what its server answered, is not acceptable; ``detail`` is fit for the user."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
