"""What is signed: an object with a "statement" and its "signature"."""

from typing import Any

from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.digests import digest
from accounts.audit_chain.verifier.ed25519 import is_signature


def is_signed(envelope: Any, public_key: bytes) -> bool:
    try:
        signature = bytes.fromhex(envelope["signature"])
    except (TypeError, ValueError):
        return False
    return is_signature(public_key, canonical(envelope["statement"]), signature)


def key_id_of(public_key: bytes) -> str:
    return digest(public_key)[:16]
