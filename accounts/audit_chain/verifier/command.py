"""Check an exported audit log offline: ``python3 -I verify.py [FOLDER]``.

FOLDER is the unzipped export; where it is not given, this file's own folder. It needs Python 3.9 or
later and nothing else; it opens no connection and imports nothing but the standard library.
``--fingerprint`` is the signing key's, as it was published or noted earlier: without it the log is
only known to agree with itself. ``--checkpoint FILE`` holds checkpoints that were kept earlier, a
line each: what was rewritten or rolled back since does not agree with them.
It ends with status 0 where everything holds, 1 where something does not, 2 where it can't be read.

The installation seals its records with these very functions.
"""

# No "from __future__" here: Python would look for that module, too, beside this file first.
import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    # A file beside this one, named like a module of the standard library, must not be run for it.
    del sys.path[0]

import argparse
from pathlib import Path

from accounts.audit_chain.verifier.bundle import Report, check_bundle, lines
from accounts.audit_chain.verifier.finding import first_bad


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
        kept = list(lines(given.checkpoint)) if given.checkpoint else None
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
