"""Records that can't be sealed: each of them holds up its own chain and no other.

Nothing here writes one, but whoever has the site's role may: JSON nested ten thousand deep, numbers
of five thousand digits, times after the year 9999. PostgreSQL takes all of them, Python does not.
"""

from __future__ import annotations

import math
from typing import Any, Final

import psycopg

from accounts.audit_chain import records
from accounts.audit_chain.record import Row, content, digest_of_personal
from ffapi_site.database.sealing import SealerConnection

FAULTS: Final = (ArithmeticError, RecursionError, ValueError, psycopg.DataError)
# Far more than is ever recorded, and far less than any Python reads, however deep its own calls.
_DEEPEST: Final = 100


class Unsealable(Exception):  # noqa: N818 -- reads as the sentence it is
    """There are records that can't be sealed; ``troubles`` names one for each of their chains"""

    def __init__(self, troubles: dict[str | None, str]) -> None:
        super().__init__("; ".join(troubles.values()))
        self.troubles = troubles


def among(connection: SealerConnection, known: list[Row]) -> dict[str | None, str]:
    """Try each of these records alone; gives the chains that must not go on, with the reason."""
    troubles: dict[str | None, str] = {}
    for row in known:
        if row["tenant_id"] in troubles:
            continue
        try:
            if whole := records.by_id(connection, row["id"]):
                require_sealable(whole)
                content(whole | {"personal_digest": digest_of_personal(whole)})
        except FAULTS as error:
            fault = type(error).__name__
            told = f"record {row['id']} can't be sealed ({fault}), and its chain waits for it"
            troubles[row["tenant_id"]] = told
    return troubles


def require_sealable(row: Row) -> None:
    """Raise ``ValueError`` for what could be sealed, but not be read from an export."""
    if not (_is_readable(row["details"], _DEEPEST) and _is_readable(row["personal"], _DEEPEST)):
        raise ValueError("nested too deep, or with a number that is too large")


def _is_readable(value: Any, levels: int) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, (dict, list)):
        return True
    members = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_readable(each, levels - 1) for each in members)
