from __future__ import annotations

from dataclasses import dataclass

from ffapi_site.lib.refusal import Refusal


@dataclass(frozen=True)
class Policy:
    allow_private: bool = False
    """Private networks and this machine too; never link-local or cloud metadata addresses."""
    allowlist: frozenset[str] = frozenset()
    """``host:port`` as URLs spell it (IPv6 in brackets); these are not checked further."""


class Refused(Refusal):
    """A URL, or what its server answered, is not acceptable

    ``is_passing`` where a server is overloaded or a line was cut. ``retry_after_s`` is how long
    such a server asks to be left alone, unbounded.
    """

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
