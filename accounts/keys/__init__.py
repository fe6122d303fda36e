"""API keys: how they are made, found, changed and ended."""

from __future__ import annotations

from accounts.keys.authority import Authority
from accounts.keys.changes import Wanted, change, create, retell, revoke, rotate
from accounts.keys.check import Reason, Refusal, check, find, opens_still
from accounts.keys.issuing import issue

__all__ = [
    "Authority",
    "Reason",
    "Refusal",
    "Wanted",
    "change",
    "check",
    "create",
    "find",
    "issue",
    "opens_still",
    "retell",
    "revoke",
    "rotate",
]
