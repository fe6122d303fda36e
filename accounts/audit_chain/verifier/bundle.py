"""The files of an export, held against its signed manifest."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from accounts.audit_chain.verifier.canonical import canonical, parsed
from accounts.audit_chain.verifier.chain import Chain
from accounts.audit_chain.verifier.checkpoints import Checkpoints
from accounts.audit_chain.verifier.digests import digest
from accounts.audit_chain.verifier.finding import Finding, Unreadable
from accounts.audit_chain.verifier.form import FILES, NEEDED
from accounts.audit_chain.verifier.keys import Keys


def lines(path: Path, *, as_canonical: bool = False) -> Iterator[Any]:
    """Read JSON by lines. In the canonical form each reads the same for every program."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"line {number} of {path.name}"
            try:
                value = parsed(line)
                is_fit = not as_canonical or canonical(value) == line.rstrip(b"\n")
            except (ValueError, RecursionError):
                yield Unreadable(where, "can't be read")
            else:
                yield value if is_fit else Unreadable(where, "is not in the canonical form")


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
    _follow(chain, lines(folder / "records.jsonl", as_canonical=True), last_seq)
    if chain.next_seq > last_seq and manifest.get("erased_later") is False:
        report.findings += chain.erasures.untold()
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
    checkpoints.check(lines(folder / "checkpoints.jsonl"))
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
