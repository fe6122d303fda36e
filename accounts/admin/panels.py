"""What the apps above tell of a tenant on its page in the admin; they add it when they load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Tenant

# A cell is a text, or a text with an address that it links to.
Cell = str | tuple[str, str]


@dataclass(frozen=True)
class Panel:
    """A small table; ``more`` is the address of the whole."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    more: str = ""

    @property
    def cells(self) -> list[list[tuple[str, str]]]:
        """Each cell as its text and its link, which may be empty."""
        return [[(c, "") if isinstance(c, str) else c for c in row] for row in self.rows]


of_tenant: list[Callable[[Tenant], Panel]] = []
