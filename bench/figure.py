from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``is_met`` says whether the target is reached, where there is one."""

    name: str
    ours: str
    yardstick: str
    ratio: float
    remark: str = ""
    is_met: bool | None = None
