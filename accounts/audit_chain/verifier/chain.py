"""The records of one tenant, each of which seals the one before it."""

from typing import Any

from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.digests import digest, is_digest, personal_digest, record_hash
from accounts.audit_chain.verifier.erasures import Erasures
from accounts.audit_chain.verifier.finding import Finding, Unreadable
from accounts.audit_chain.verifier.form import BESIDE, HASHES, SEALED


class Chain:
    """The records of one tenant in their order, held against each other."""

    def __init__(self, tenant: "str | None", first_seq: int, prev_hash: str) -> None:
        self.tenant, self.first_seq, self.prev_hash = tenant, first_seq, prev_hash
        self.hashes: list[str] = []
        self.findings: list[Finding] = []
        self.erasures = Erasures()

    @property
    def next_seq(self) -> int:
        return self.first_seq + len(self.hashes)

    def hash_at(self, seq: int) -> "str | None":
        """The hash of a record; just before the first one it is what the first one builds on."""
        if seq == self.first_seq - 1:
            return self.prev_hash
        return self.hashes[seq - self.first_seq] if self.first_seq <= seq < self.next_seq else None

    def read(self, line: Any) -> bool:
        """Take the next record; False where the chain can't be followed any further."""
        seq = self.next_seq
        try:
            fault, goes_on = self._fault(line, seq)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            fault, goes_on = "can't be read", False
        if fault:
            named = line.get("id", "no id") if isinstance(line, dict) else "no id"
            named = line.where if isinstance(line, Unreadable) else named
            self.findings.append(Finding(seq, f"record {seq} ({named}) {fault}"))
        if goes_on:
            self.hashes.append(line["hash"])
            self.erasures.read(line)
        return goes_on

    def _fault(self, line: Any, seq: int) -> "tuple[str | None, bool]":
        if isinstance(line, Unreadable):
            return line.why, False
        if line["seq"] != seq:
            return f"is missing: record {line['seq']} stands in its place", False
        if line["tenant"] != self.tenant:
            return f"is of the tenant {line['tenant']}, not of {self.tenant}", False
        if not all(is_digest(line[name]) for name in HASHES):
            return "has a hash that is none", False
        if line["prev_hash"] != self.hash_at(seq - 1):
            return "does not follow the record before it", True
        return self._other_than_sealed(line), True

    def _other_than_sealed(self, line: Any) -> "str | None":
        if digest(canonical(line["details"])) != line["details_digest"]:
            return "has other details than were sealed"
        if (line["personal"] is None) != (line["salt"] is None):
            return "has lost a part of its personal data"
        if line["personal"] is not None and line["personal_digest"] != personal_digest(
            bytes.fromhex(line["salt"]), line["personal"]
        ):
            return "has other personal data than were sealed"
        if set(line) != {*SEALED, *BESIDE}:
            return "has other fields than were sealed"
        if line["hash"] != record_hash(line["prev_hash"], {name: line[name] for name in SEALED}):
            return "is not what was sealed"
        return None
