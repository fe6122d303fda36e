"""Check an exported audit log offline: ``python3 -I verify.py [FOLDER]``.

FOLDER is the unzipped export; where it is not given, this file's own folder. It needs Python 3.9 or
later and nothing else; it opens no connection and imports nothing but the standard library.
``--fingerprint`` is the signing key's, as it was published or noted earlier: without it the log is
only known to agree with itself. ``--checkpoint FILE`` holds checkpoints that were kept earlier, a
line each: what was rewritten or rolled back since does not agree with them.
It ends with status 0 where everything holds, 1 where something does not, 2 where it can't be read.

The installation seals its records with the functions of this very file.
"""

# No "from __future__" here: Python would look for that module, too, beside this file first.
import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    # A file beside this one, named like a module of the standard library, must not be run for it.
    del sys.path[0]

import argparse
import hashlib
import json
import re
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
HASHES = ("prev_hash", "hash", "details_digest", "personal_digest")
NEEDED = ("records.jsonl", "checkpoints.jsonl")  # a manifest tells of these two files at least
FILES = (*NEEDED, "verify.py", "README.txt")

# -- The canonical form: RFC 8785


def canonical(value: Any) -> bytes:
    return _written(value).encode("utf-8", "surrogatepass")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        members = sorted(
            value.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass")
        )
        return "{" + ",".join(f"{_written(key)}:{_written(each)}" for key, each in members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)


def parsed(line: bytes) -> Any:
    """Read JSON that has one meaning only; raises ``ValueError`` for any other."""
    return json.loads(line.decode(), object_pairs_hook=_members, parse_constant=_no_number)


def _members(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


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
    try:
        signature = bytes.fromhex(envelope["signature"])
    except (TypeError, ValueError):
        return False
    return is_signature(public_key, canonical(envelope["statement"]), signature)


def key_id_of(public_key: bytes) -> str:
    return digest(public_key)[:16]


class Finding(NamedTuple):
    """What does not hold; ``seq`` is the record that it is about, 0 where it is about no record."""

    seq: int
    text: str


class Keys:
    """The signing keys, each introduced by the one before it, and when each of them held."""

    def __init__(self, envelopes: list[Any], fingerprint: "str | None") -> None:
        self.findings: list[Finding] = []
        self.notices: list[str] = []
        told = [envelope["statement"] for envelope in envelopes]
        self._order = [str(each["key_id"]) for each in told]
        self._from = [str(each["at"]) for each in told]
        self._public = [bytes.fromhex(each["public_key"]) for each in told]
        if len(set(self._order)) != len(self._order):
            self._bad("a key stands there twice")
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

    def check_manifest(self, envelope: Any) -> None:
        """Only the newest key signs exports: what an earlier one signs may be by a thief of it."""
        key_id = envelope["statement"]["key_id"]
        if fault := self.fault_of(envelope, "manifest"):
            self._bad(f"the manifest is {fault}")
        elif key_id != self.current:
            self._bad(
                f"the manifest is signed with key {key_id}, not with the last one it tells of"
            )

    @property
    def current(self) -> str:
        return self._order[-1]

    @property
    def fingerprint(self) -> str:
        return digest(self._public[-1])

    def place_of(self, statement: Any) -> int:
        return self._order.index(str(statement["key_id"]))

    def fault_of(self, envelope: Any, *kinds: str) -> "str | None":
        """Say what is wrong with a signature; None where it holds."""
        statement = envelope["statement"]
        key_id, at = str(statement["key_id"]), str(statement["at"])
        if statement["kind"] not in kinds:
            return "something else"
        if key_id not in self._order:
            return f"signed with an unknown key {key_id}"
        place = self.place_of(statement)
        if not is_signed(envelope, self._public[place]):
            return f"not signed by key {key_id}"
        if self._from[place + 1 :] and at > self._from[place + 1]:
            return f"signed at {at} with the stale key {key_id}, retired at {self._from[place + 1]}"
        return None


class Unreadable(NamedTuple):
    """A line that has no meaning, or more than one."""

    where: str
    why: str


class Chain:
    """The records of one tenant in their order, held against each other."""

    def __init__(self, tenant: "str | None", first_seq: int, prev_hash: str) -> None:
        self.tenant, self.first_seq, self.prev_hash = tenant, first_seq, prev_hash
        self.hashes: list[str] = []
        self.findings: list[Finding] = []

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
                self.notices.append(
                    f"rolled back at {statement['at']}: records {statement['seq'] + 1} to"
                    f" {statement['lost_seq']} were lost, as checkpoint {statement['number']} says"
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


# -- A bundle


def _lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield parsed(line)
            except (ValueError, RecursionError):
                yield Unreadable(f"line {number} of {path.name}", "can't be read")


def _records(path: Path) -> Iterator[Any]:
    """Each line must be in the canonical form: then it reads the same for every program."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"line {number} of {path.name}"
            try:
                record = parsed(line)
                is_canonical = canonical(record) == line.rstrip(b"\n")
            except (ValueError, RecursionError):
                yield Unreadable(where, "can't be read")
            else:
                yield record if is_canonical else Unreadable(where, "is not in the canonical form")


def _follow(chain: Chain, lines: Iterator[Any], last_seq: int) -> None:
    for line in lines:
        if chain.next_seq > last_seq:
            text = f"record {chain.next_seq} and what follows it were added after the last one"
            chain.findings.append(Finding(chain.next_seq, text))
            return
        if not chain.read(line):
            return
    if chain.next_seq <= last_seq:
        text = f"record {chain.next_seq} is missing, and so are all to {last_seq}"
        chain.findings.append(Finding(chain.next_seq, text))


class Report:
    """What does not hold, what should be known, and what was checked."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.notices: list[str] = []
        self.told: list[str] = []


def check_bundle(
    report: Report,
    folder: Path,
    fingerprint: "str | None" = None,
    kept: "Iterable[Any] | None" = None,
) -> None:
    """Check the records first: what is wrong with them is told, whatever else can't be read."""
    envelope = parsed((folder / "manifest.json").read_bytes())
    manifest = envelope["statement"]
    first_seq, last_seq = manifest["first_seq"], manifest["last_seq"]
    chain = Chain(manifest["tenant"], first_seq, manifest["first_prev_hash"])
    chain.findings = report.findings
    _follow(chain, _records(folder / "records.jsonl"), last_seq)
    if chain.hash_at(last_seq) not in (None, manifest["last_hash"]):
        text = f"record {last_seq} is not the last one that the manifest tells of"
        report.findings.append(Finding(last_seq, text))
    if manifest["records"] != last_seq - first_seq + 1:
        report.findings.append(Finding(0, "the manifest tells of another number of records"))
    _check_files(report, folder, manifest["files"])
    keys = Keys(manifest["keys"], fingerprint)
    keys.check_manifest(envelope)
    report.findings += keys.findings
    report.notices += keys.notices
    checkpoints = Checkpoints(keys, chain, last_seq, manifest["head_seq"])
    checkpoints.findings, checkpoints.notices = report.findings, report.notices
    checkpoints.check(_lines(folder / "checkpoints.jsonl"))
    checkpoints.require_beginning(manifest["start"])
    if kept is not None:
        checkpoints.check_kept(kept)
    if last_seq < manifest["head_seq"]:
        report.notices.append(
            f"the records from {last_seq + 1} to {manifest['head_seq']} are not here"
        )
    report.told = [
        f"tenant {manifest['tenant']}, made at {manifest['at']}",
        f"records {first_seq} to {last_seq}, {checkpoints.count} checkpoints",
        f"signing key {keys.current}, fingerprint {keys.fingerprint}",
    ]


def _check_files(report: Report, folder: Path, files: Any) -> None:
    for name in NEEDED:
        if name not in files:
            report.findings.append(Finding(0, f"the manifest does not tell of {name}"))
    for name, wanted in files.items():
        if name not in FILES:
            report.findings.append(Finding(0, f"the manifest tells of {name}, which is no part"))
        elif not (folder / name).is_file() or digest((folder / name).read_bytes()) != wanted:
            text = f"{name} is not the file that the manifest tells of"
            report.findings.append(Finding(0, text))
    others = {path.name for path in folder.iterdir()} - {*FILES, "manifest.json"}
    report.notices += [f"{name} is no part of the export" for name in sorted(others)]


def first_bad(findings: list[Finding]) -> list[Finding]:
    """Put what is about records first, by their order."""
    return sorted(findings, key=lambda finding: (finding.seq == 0, finding.seq))


def _say(text: str) -> None:
    """Print what may come from a forged file: a line is a line, and has no hidden signs."""
    shown = text.encode("ascii", "backslashreplace").decode()
    print("".join(each if each.isprintable() else "?" for each in shown))


def main() -> int:
    parser = argparse.ArgumentParser(description="Check an exported audit log.")
    own = Path(__file__).resolve().parent
    parser.add_argument("folder", nargs="?", type=Path, default=own, help="the unzipped export")
    parser.add_argument("--fingerprint", help="of the signing key, as published or noted earlier")
    parser.add_argument("--checkpoint", type=Path, help="a file of checkpoints kept earlier")
    given = parser.parse_args()
    report, unreadable = Report(), ""
    try:
        kept = list(_lines(given.checkpoint)) if given.checkpoint else None
        check_bundle(report, given.folder, given.fingerprint, kept)
    except Exception as error:  # noqa: BLE001 -- forged files fail in any way; what was found is told
        unreadable = f"this can't be read: {type(error).__name__}: {error}"
    for text in report.told:
        _say(text)
    for notice in report.notices:
        _say(f"NOTE: {notice}")
    for finding in first_bad(report.findings)[:20]:
        _say(f"BAD: {finding.text}")
    if unreadable and report.findings:
        _say(f"BAD: {unreadable}")
    if report.findings or unreadable:
        first = first_bad(report.findings)[0].text if report.findings else unreadable
        _say(f"NOT VERIFIED: {first}")
        return 1 if report.findings else 2
    if given.fingerprint is None:
        print("Compare the fingerprint with the one that was published: nothing here can prove it.")
    print("VERIFIED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
