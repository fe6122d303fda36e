"""Personal data that are gone: the record of an erasure tells how many it took them from."""

from collections.abc import Iterator
from typing import Any

from accounts.audit_chain.verifier.digests import personal_digest
from accounts.audit_chain.verifier.finding import Finding

_NEVER_ANY = personal_digest(b"", None)


class Erasures:
    """Records without personal data, held against the erasures that come after them."""

    def __init__(self) -> None:
        self._gone: dict[int, str] = {}
        self._told: dict[int, int] = {}

    def read(self, line: Any) -> None:
        if line.get("personal", "") is None and line["personal_digest"] != _NEVER_ANY:
            self._gone[line["seq"]] = f"record {line['seq']} ({line.get('id')})"
        if line.get("event_type") == "audit.erased":
            details = line.get("details")
            number = details.get("records") if isinstance(details, dict) else 0
            self._told[line["seq"]] = number if type(number) is int and number > 0 else 0

    def untold(self) -> Iterator[Finding]:
        """Name records of which no later erasure tells; there must be none after those read."""
        left, last = 0, max(self._told, default=0)
        for seq in sorted({*self._gone, *self._told}, reverse=True):
            if seq in self._gone and left == 0:
                named = self._gone[seq] + (", or one after it," if seq < last else "")
                text = f"{named} has lost its personal data, and no erasure tells of that"
                yield Finding(seq, text)
            elif seq in self._gone:
                left -= 1
            left += self._told.get(seq, 0)
