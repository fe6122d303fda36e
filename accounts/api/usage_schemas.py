"""Usage as the API tells it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from accounts.usage.report import Row


class UsageRow(BaseModel):
    """Sums of what ended; ``cost`` is decimal text in the currency of the answer."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    key: str
    """The day, the operation or the key's id; empty for what came without a key."""
    name: str
    """What people call it: a key's name."""
    jobs: int
    completed: int
    failed: int
    canceled: int
    cpu_seconds: float
    wall_seconds: float
    input_bytes: int
    output_bytes: int
    cost: str


class UsageBody(BaseModel):
    """Usage from the first to the last day, both included, in UTC."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    first: str
    last: str
    group_by: str
    currency: str
    results: list[UsageRow]
    total: UsageRow


def row_to_json(row: Row) -> dict[str, Any]:
    sums = row.sums
    body = UsageRow(
        key=row.key,
        name=row.name,
        jobs=sums["jobs"],
        completed=sums["completed"],
        failed=sums["failed"],
        canceled=sums["canceled"],
        cpu_seconds=sums["cpu_ms"] / 1000,
        wall_seconds=sums["wall_ms"] / 1000,
        input_bytes=sums["input_bytes"],
        output_bytes=sums["output_bytes"],
        cost=str(row.cost),
    )
    return body.model_dump()
