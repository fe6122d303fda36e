"""What does not hold, and what can't be read."""

from typing import NamedTuple


class Finding(NamedTuple):
    """What does not hold; ``seq`` is the record that it is about, 0 where it is about no record."""

    seq: int
    text: str


class Unreadable(NamedTuple):
    """A line that has no meaning, or more than one."""

    where: str
    why: str


def first_bad(findings: list[Finding]) -> list[Finding]:
    """Put what is about records first, by their order."""
    return sorted(findings, key=lambda finding: (finding.seq == 0, finding.seq))
