"""Check an exported audit log offline. Run it inside the unzipped folder: ``python3 verify.py``.

It needs Python 3.9 or later and nothing else; it opens no connection and imports no other file.
``--fingerprint`` is the signing key's, as it was published or noted earlier: without it the log is
only known to agree with itself. ``--checkpoint FILE`` holds checkpoints that were kept earlier, a
line each: what was rewritten or rolled back since does not agree with them.
It ends with status 0 where everything holds, 1 where something does not, 2 where it can't be read.

The installation seals its records with the functions of this very file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

VERSION = 1
NOTHING = "0" * 64  # the prev_hash of a chain's first record, the prev_checkpoint of the first
SEALED = (
    *("v", "tenant", "seq", "id", "at", "actor", "event_type", "resource", "outcome"),
    *("request_id", "details_digest", "personal_digest"),
)
BESIDE = ("details", "personal", "salt", "prev_hash", "hash")

# -- The canonical form: RFC 8785, with all text in Unicode's normal form C


def canonical(value: Any) -> bytes:
    return _written(value).encode("utf-8", "surrogatepass")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(unicodedata.normalize("NFC", value), ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be", "replace"))
        return "{" + ",".join(f"{_written(key)}:{_written(each)}" for key, each in members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)


def _number(value: float) -> str:
    """Write a number as ECMAScript does (RFC 8785, 3.2.2.3)."""
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        plain = format(Decimal(repr(value)), "f")
        return plain.removesuffix(".0")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent):+d}" if exponent else mantissa


# -- Digests: RFC 6962's tree, whose leaves are the records' own hashes


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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


# -- Ed25519 signatures, checked as RFC 8032 says (5.1.7)

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)


# A point is X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z.
def _sum(p: Any, q: Any) -> Any:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(factor: int, point: Any) -> Any:
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        factor >>= 1
    return total


def _same(p: Any, q: Any) -> bool:
    return not ((p[0] * q[2] - q[0] * p[2]) % _P or (p[1] * q[2] - q[1] * p[2]) % _P)


def _point(packed: bytes) -> Any:
    """Unpack a point; None where the bytes are none."""
    y = int.from_bytes(packed, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_1 % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return (x, y, 1, x * y % _P)


_BASE = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def is_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, r = _point(public_key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= _ORDER:
        return False
    told = hashlib.sha512(signature[:32] + public_key + message).digest()
    h = int.from_bytes(told, "little") % _ORDER
    return _same(_times(s, _BASE), _sum(r, _times(h, key)))


# -- What is signed: an object with a "statement" and its "signature"


def is_signed(envelope: Any, public_key: bytes) -> bool:
    signature = bytes.fromhex(envelope["signature"])
    return is_signature(public_key, canonical(envelope["statement"]), signature)


def key_id_of(public_key: bytes) -> str:
    return digest(public_key)[:16]


class Finding(NamedTuple):
    """What does not hold; ``seq`` is the record that it is about, 0 where it is about no record."""

    seq: int
    text: str


class Keys:
    """The signing keys, each introduced by the one before it, and when each of them held."""

    def __init__(self, envelopes: list[Any], fingerprint: str | None) -> None:
        self.findings: list[Finding] = []
        self.notices: list[str] = []
        told = [envelope["statement"] for envelope in envelopes]
        self._order = [str(each["key_id"]) for each in told]
        self._from = [str(each["at"]) for each in told]
        self._public = [bytes.fromhex(each["public_key"]) for each in told]
        for place, envelope in enumerate(envelopes):
            self._check(place, envelope)
        if fingerprint is not None:
            self._anchor(fingerprint, [each["previous"] for each in told])

    def _bad(self, text: str) -> None:
        self.findings.append(Finding(0, text))

    def _check(self, place: int, envelope: Any) -> None:
        statement, key_id = envelope["statement"], self._order[place]
        before = self._order[place - 1] if place else None
        if statement["kind"] != "key" or key_id_of(self._public[place]) != key_id:
            self._bad(f"key {key_id} is not the key of that id")
        if statement["previous"] is None and place:
            self.notices.append(f"key {key_id} replaced a lost one: no earlier key vouches for it")
        elif statement["previous"] != before:
            self._bad(f"key {key_id} follows a key that is not the one before it")
        signer = place if statement["previous"] is None else place - 1
        if not is_signed(envelope, self._public[signer]):
            self._bad(f"key {key_id} is not signed by {self._order[signer]}")

    def _anchor(self, fingerprint: str, previous: list[Any]) -> None:
        """The known key must be here, and vouch for those after it; those before it don't count."""
        wanted = fingerprint.lower().replace(":", "").removeprefix("sha256")
        known = [digest(public_key) for public_key in self._public]
        if wanted not in known:
            self._bad(f"no key of this log has the fingerprint {wanted}")
        elif None in previous[known.index(wanted) + 1 :]:
            self._bad(f"the key with the fingerprint {wanted} does not vouch for the later ones")

    @property
    def current(self) -> str:
        return self._order[-1]

    @property
    def fingerprint(self) -> str:
        return digest(self._public[-1])

    def fault_of(self, envelope: Any, *kinds: str) -> str | None:
        """Say what is wrong with a signature; None where it holds."""
        statement = envelope["statement"]
        key_id, at = str(statement["key_id"]), str(statement["at"])
        if statement["kind"] not in kinds:
            return "something else"
        if key_id not in self._order:
            return f"signed with an unknown key {key_id}"
        place = self._order.index(key_id)
        if not is_signed(envelope, self._public[place]):
            return f"not signed by key {key_id}"
        if self._from[place + 1 :] and at > self._from[place + 1]:
            return f"signed at {at} with the stale key {key_id}, retired at {self._from[place + 1]}"
        return None


class Chain:
    """The records of one tenant in their order, held against each other."""

    def __init__(self, tenant: str | None, first_seq: int, prev_hash: str) -> None:
        self.tenant, self.first_seq, self.prev_hash = tenant, first_seq, prev_hash
        self.hashes: list[str] = []
        self.findings: list[Finding] = []

    @property
    def next_seq(self) -> int:
        return self.first_seq + len(self.hashes)

    def hash_at(self, seq: int) -> str | None:
        """The hash of a record; just before the first one it is what the first one builds on."""
        if seq == self.first_seq - 1:
            return self.prev_hash
        return self.hashes[seq - self.first_seq] if self.first_seq <= seq < self.next_seq else None

    def read(self, line: Any) -> bool:
        """Take the next record; False where the chain can't be followed any further."""
        seq = self.next_seq
        try:
            fault, goes_on = self._fault(line, seq)
        except (KeyError, TypeError, ValueError, AttributeError):
            fault, goes_on = "can't be read", False
        if fault:
            named = line.get("id", "no id") if isinstance(line, dict) else "no id"
            self.findings.append(Finding(seq, f"record {seq} ({named}) {fault}"))
        if goes_on:
            self.hashes.append(line["hash"])
        return goes_on

    def _fault(self, line: Any, seq: int) -> tuple[str | None, bool]:
        if line["seq"] != seq:
            return f"is missing: record {line['seq']} stands in its place", False
        if line["tenant"] != self.tenant:
            return f"is of the tenant {line['tenant']}, not of {self.tenant}", False
        if line["prev_hash"] != self.hash_at(seq - 1):
            return "does not follow the record before it", True
        return self._other_than_sealed(line), True

    def _other_than_sealed(self, line: Any) -> str | None:
        if digest(canonical(line["details"])) != line["details_digest"]:
            return "has other details than were sealed"
        if line["personal"] is not None and line["personal_digest"] != personal_digest(
            bytes.fromhex(line["salt"]), line["personal"]
        ):
            return "has other personal data than were sealed"
        if set(line) != {*SEALED, *BESIDE}:
            return "has other fields than were sealed"
        if line["hash"] != record_hash(line["prev_hash"], {name: line[name] for name in SEALED}):
            return "is not what was sealed"
        return None


class Checkpoints:
    """Signed checkpoints of one tenant, held against each other, its keys and its chain."""

    def __init__(self, keys: Keys, chain: Chain, last_seq: int, head_seq: int) -> None:
        self.keys, self.chain = keys, chain
        self.last_seq, self.head_seq = last_seq, head_seq
        self.findings: list[Finding] = []
        self.notices: list[str] = []
        self.count = 0
        self._last: Any = None
        self._rollbacks: list[Any] = []

    def check(self, envelopes: Iterable[Any]) -> None:
        """Check all that the log itself holds, in their order."""
        envelopes = list(envelopes)
        for statement in (envelope["statement"] for envelope in envelopes):
            if statement["kind"] == "rollback":
                self._rollbacks.append(statement)
                self.notices.append(
                    f"rolled back at {statement['at']}: records {statement['seq'] + 1} to"
                    f" {statement['lost_seq']} were lost, as checkpoint {statement['number']} says"
                )
        for envelope in envelopes:
            self._check(envelope)

    def kept(self, envelope: Any) -> None:
        """Compare with a checkpoint that somebody kept."""
        statement = envelope["statement"]
        if statement["tenant"] != self.chain.tenant:
            return
        if fault := self.keys.fault_of(envelope, "checkpoint", "cut", "rollback"):
            self._bad(envelope, f"that was kept is {fault}")
        elif self._is_lost(statement):
            self._bad(envelope, "that was kept covers records that were rolled back since")
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
        self._last = statement
        if not self._is_lost(statement):
            self._compare(envelope, "")

    def _compare(self, envelope: Any, which: str) -> None:
        statement, chain = envelope["statement"], self.chain
        seq, named = statement["seq"], f"checkpoint {statement['number']}{which}"
        found = chain.hash_at(seq)
        if self.last_seq < seq <= self.head_seq:
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


# -- A bundle


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError:
                yield {"id": f"line {number} of {path.name}"}


def _follow(chain: Chain, lines: Iterator[Any], last_seq: int) -> None:
    for line in lines:
        if not chain.read(line):
            return
    if chain.next_seq <= last_seq:
        text = f"record {chain.next_seq} is missing, and so are all to {last_seq}"
        chain.findings.append(Finding(chain.next_seq, text))


def check_bundle(
    folder: Path, fingerprint: str | None = None, kept: Iterable[Any] = ()
) -> tuple[list[Finding], list[str], str]:
    """Give what does not hold, what should be known, and what was checked."""
    envelope = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest = envelope["statement"]
    first_seq, last_seq = manifest["first_seq"], manifest["last_seq"]
    keys = Keys(manifest["keys"], fingerprint)
    findings = keys.findings
    if fault := keys.fault_of(envelope, "manifest"):
        findings.append(Finding(0, f"the manifest is {fault}"))
    for name, wanted in manifest["files"].items():
        if digest((folder / name).read_bytes()) != wanted:
            findings.append(Finding(0, f"{name} is not the file that the manifest tells of"))
    chain = Chain(manifest["tenant"], first_seq, manifest["first_prev_hash"])
    _follow(chain, _lines(folder / "records.jsonl"), last_seq)
    if chain.hash_at(last_seq) not in (None, manifest["last_hash"]):
        text = f"record {last_seq} is not the last one that the manifest tells of"
        chain.findings.append(Finding(last_seq, text))
    checkpoints = Checkpoints(keys, chain, last_seq, manifest["head_seq"])
    checkpoints.check(_lines(folder / "checkpoints.jsonl"))
    for each in kept:
        checkpoints.kept(each)
    told = (
        f"tenant {manifest['tenant']}, records {first_seq} to {last_seq},"
        f" {checkpoints.count} checkpoints, made at {manifest['at']}\n"
        f"signing key {keys.current}, fingerprint {keys.fingerprint}"
    )
    found = findings + chain.findings + checkpoints.findings
    return found, keys.notices + checkpoints.notices, told


def first_bad(findings: list[Finding]) -> list[Finding]:
    """Put what is about records first, by their order."""
    return sorted(findings, key=lambda finding: (finding.seq == 0, finding.seq))


def main() -> int:
    parser = argparse.ArgumentParser(description="Check an exported audit log.")
    parser.add_argument("--fingerprint", help="of the signing key, as published or noted earlier")
    parser.add_argument("--checkpoint", type=Path, help="a file of checkpoints kept earlier")
    given = parser.parse_args()
    try:
        kept = list(_lines(given.checkpoint)) if given.checkpoint else []
        folder = Path(__file__).resolve().parent
        findings, notices, told = check_bundle(folder, given.fingerprint, kept)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        print(f"NOT VERIFIED: this can't be read: {type(error).__name__}: {error}")
        return 2
    print(told)
    for notice in notices:
        print(f"NOTE: {notice}")
    for finding in first_bad(findings)[:20]:
        print(f"BAD: {finding.text}")
    if findings:
        print(f"NOT VERIFIED: {first_bad(findings)[0].text}")
        return 1
    if given.fingerprint is None:
        print("Compare the fingerprint with the one that was published: nothing here can prove it.")
    print("VERIFIED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
