"""Digests: RFC 6962's tree, whose leaves are the records' own hashes."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from accounts.audit_chain.verifier.canonical import canonical

NOTHING = "0" * 64  # the prev_hash of a chain's first record, the prev_checkpoint of the first


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def record_hash(prev_hash: str, content: dict[str, Any]) -> str:
    """SHA-256 of 0x00, the hash before, and what is sealed: an RFC 6962 leaf hash."""
    return digest(b"\x00" + bytes.fromhex(prev_hash) + canonical(content))


def personal_digest(salt: bytes, personal: Any) -> str:
    return digest(salt + canonical(personal))


def merkle_root(hashes: Iterable[str]) -> str:
    level = [bytes.fromhex(each) for each in hashes]
    if not level:
        return digest(b"")
    while len(level) > 1:
        pairs = [level[place : place + 2] for place in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\x01" + b"".join(pair)).digest() if pair[1:] else pair[0]
                 for pair in pairs]  # fmt: skip
    return level[0].hex()
