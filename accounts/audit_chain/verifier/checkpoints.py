"""Checkpoints: what was signed of a chain, and when."""

from collections.abc import Iterable, Iterator
from typing import Any

from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.chain import Chain
from accounts.audit_chain.verifier.digests import digest, merkle_root
from accounts.audit_chain.verifier.finding import Finding
from accounts.audit_chain.verifier.keys import Keys

_SHAPE: "dict[str, type]" = {
    "kind": str,
    "number": int,
    "seq": int,
    "hash": str,
    "at": str,
    "key_id": str,
}
_SHAPES: "dict[str, dict[str, type]]" = {
    "checkpoint": {"first_seq": int, "merkle_root": str},
    "cut": {"first_seq": int, "merkle_root": str},
    "rollback": {"first_seq": int, "lost_seq": int},
}


def is_checkpoint(envelope: Any) -> bool:
    """Has it the shape of a signed checkpoint?"""
    statement = envelope.get("statement") if isinstance(envelope, dict) else None
    if not isinstance(statement, dict) or not {"tenant", "prev_checkpoint"} <= set(statement):
        return False
    shape = {**_SHAPE, **_SHAPES.get(str(statement.get("kind")), {})}
    return all(isinstance(statement.get(name), kind) for name, kind in shape.items())


class Checkpoints:
    """Signed checkpoints of one tenant, held against each other, its keys and its chain."""

    def __init__(self, keys: Keys, chain: Chain, last_seq: int, head_seq: int) -> None:
        self.keys, self.chain = keys, chain
        self.last_seq, self.head_seq = last_seq, head_seq
        self.findings: list[Finding] = []
        self.notices: list[str] = []
        self.count = 0
        self._last: Any = None
        self._last_key = 0
        self._digests: dict[int, str] = {}
        self._cuts: set[tuple[int, str]] = set()
        self._rollbacks: list[Any] = []

    def check(self, envelopes: Iterable[Any]) -> None:
        """Check all that the log itself holds, in their order."""
        sound = list(self._sound(envelopes, "checkpoint"))
        for statement in (envelope["statement"] for envelope in sound):
            if statement["kind"] == "rollback":
                self._rollbacks.append(statement)
                seq, lost_seq = statement["seq"], statement["lost_seq"]
                lost = f"records {seq + 1} to {lost_seq} at least were lost"
                if lost_seq <= seq:  # no checkpoint tells what was sealed after the last one
                    lost = f"what came after record {seq} was lost, how much is not known"
                self.notices.append(
                    f"rolled back at {statement['at']}: {lost},"
                    f" as checkpoint {statement['number']} says"
                )
        for envelope in sound:
            self._check(envelope)

    def _sound(self, envelopes: Iterable[Any], what: str) -> Iterator[Any]:
        """Leave out what is no checkpoint, and tell it: it must not hide what else is wrong."""
        for number, envelope in enumerate(envelopes, 1):
            if is_checkpoint(envelope):
                yield envelope
            else:
                self.findings.append(Finding(0, f"line {number}, a {what}, can't be read"))

    def require_beginning(self, start: Any) -> None:
        """Nothing may be missing before the first record but what a cut or ``start`` tells of."""
        first_seq = self.chain.first_seq
        if first_seq == 1 or (first_seq - 1, self.chain.prev_hash) in self._cuts:
            return
        if start is None:
            text = f"records 1 to {first_seq - 1} are gone, and no signed cut tells of that"
            self.findings.append(Finding(1, text))
        else:
            text = f"only records from {start} on were asked for: not those before {first_seq}"
            self.notices.append(text)

    def check_kept(self, envelopes: Iterable[Any]) -> None:
        """Compare with checkpoints that somebody kept; there must be one."""
        before = len(self.findings)
        sound = list(self._sound(envelopes, "checkpoint that was kept,"))
        if not sound and len(self.findings) == before:
            self.findings.append(Finding(0, "no checkpoint was kept: the file is empty"))
        for envelope in sound:
            self.kept(envelope)

    def kept(self, envelope: Any) -> None:
        """Compare with a checkpoint that somebody kept."""
        statement = envelope["statement"]
        known = self._digests.get(statement["number"])
        if statement["tenant"] != self.chain.tenant:
            self._bad(envelope, f"that was kept is of the tenant {statement['tenant']}")
        elif fault := self.keys.fault_of(envelope, "checkpoint", "cut", "rollback"):
            self._bad(envelope, f"that was kept is {fault}")
        elif self._is_lost(statement):
            self._bad(envelope, "that was kept covers records that were rolled back since")
        elif known not in (None, digest(canonical(statement))):
            self._bad(envelope, "that was kept is another one than that of the log")
        else:
            self._compare(envelope, " that was kept")

    def _bad(self, envelope: Any, text: str) -> None:
        statement = envelope["statement"]
        self.findings.append(Finding(statement["seq"], f"checkpoint {statement['number']} {text}"))

    def _is_lost(self, statement: Any) -> bool:
        return any(
            later["number"] > statement["number"] and later["seq"] < statement["seq"]
            for later in self._rollbacks
        )

    def _check(self, envelope: Any) -> None:
        self.count += 1
        statement = envelope["statement"]
        if statement["tenant"] != self.chain.tenant:
            self._bad(envelope, f"is of the tenant {statement['tenant']}")
        if fault := self.keys.fault_of(envelope, "checkpoint", "cut", "rollback"):
            self._bad(envelope, f"is {fault}")
            return
        if self._last is not None and (
            statement["prev_checkpoint"] != digest(canonical(self._last))
            or statement["number"] != self._last["number"] + 1
        ):
            self._bad(envelope, "does not follow the checkpoint before it")
        key = self.keys.place_of(statement)
        if key < self._last_key:
            self._bad(envelope, "is signed with an older key than the one before it")
        self._last, self._last_key = statement, key
        self._digests[statement["number"]] = digest(canonical(statement))
        if statement["kind"] == "cut":
            self._cuts.add((statement["seq"], statement["hash"]))
        if not self._is_lost(statement):
            self._compare(envelope, "")

    def _compare(self, envelope: Any, which: str) -> None:
        statement, chain = envelope["statement"], self.chain
        seq, named = statement["seq"], f"checkpoint {statement['number']}{which}"
        found = chain.hash_at(seq)
        if seq < chain.first_seq - 1:
            self.notices += [f"{named} is about records before the first one here"] if which else []
        elif self.last_seq < seq <= self.head_seq:
            self.notices += [f"{named} is about records that were not exported"] if which else []
        elif seq >= chain.next_seq:
            text = f"{named} covers records to {seq}: from record {chain.next_seq} on they are gone"
            self.findings.append(Finding(chain.next_seq, text))
        elif found not in (None, statement["hash"]):
            first = max(statement["first_seq"], chain.first_seq)
            text = f"record {first}, or one after it to {seq}, is not the one that {named} signed"
            self.findings.append(Finding(first, text))
        elif statement["kind"] == "checkpoint" and chain.first_seq <= statement["first_seq"]:
            place = statement["first_seq"] - chain.first_seq
            hashes = chain.hashes[place : seq - chain.first_seq + 1]
            if merkle_root(hashes) != statement["merkle_root"]:
                self._bad(envelope, "has another Merkle root than its records")
