"""``make test``: every check and every test, each timed; all are run, and one failure fails all."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import data_folder

ROOT = Path(__file__).resolve().parent.parent
_PYTHON = (sys.executable, "-m")
_MANAGE = (sys.executable, "manage.py")
_LAST_LINES = 60
# Nothing of it is connected to: what is checked is how a careful production would be set up.
_PRODUCTION = {
    "DATABASE_URL": "postgres://ffapi:ffapi@127.0.0.1:5432/ffapi",
    "PUBLIC_BASE_URL": "https://media.example.org",
    "ALLOWED_HOSTS": "media.example.org",
    "SECRET_KEY": "checked-and-thrown-away-0123456789-abcdefghijklmnopqrstuvwxyz",
    "API_KEY_PEPPER": "checked-and-thrown-away",
    "ENCRYPTION_KEYS": "checked-and-thrown-away",
}


@dataclass(frozen=True)
class Check:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_static: bool = True

    def failure(self) -> str | None:
        """Run it, printing what it prints; give its last lines if it fails."""
        began = time.monotonic()
        print(f"── {self.name}", flush=True)
        # Through a file, not a pipe: a process that it left behind would hold a pipe open.
        with TemporaryDirectory() as folder:
            printed = Path(folder, "printed")
            status = self._run(printed)
            last = printed.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        verdict = f"FAILED ({status})" if status else "ok"
        print(f"── {self.name}: {verdict} in {time.monotonic() - began:.1f} s\n", flush=True)
        return "\n".join(last) if status else None

    def _run(self, printed: Path) -> int:
        environment = {**os.environ, **self.environment}
        with printed.open("wb") as output, printed.open(errors="replace") as reader:
            process = subprocess.Popen(
                self.command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            while process.poll() is None:
                print(reader.read(), end="", flush=True)
                time.sleep(0.2)
            print(reader.read(), end="", flush=True)
            return process.returncode


CHECKS = (
    Check("style", (*_PYTHON, "ruff", "check", ".")),
    Check("form", (*_PYTHON, "ruff", "format", "--check", ".")),
    Check("templates", (*_PYTHON, "djlint", "--check", "--lint", "templates")),
    Check("types", (*_PYTHON, "mypy", ".")),
    Check("layers", (str(Path(sys.executable).parent / "lint-imports"), "--no-cache")),
    Check(
        "production settings",
        (*_MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
        environment=_PRODUCTION,
    ),
    Check("migrations", (*_MANAGE, "makemigrations", "--check", "--dry-run"), is_static=False),
    Check("generated pages", (*_MANAGE, "ffapi", "docs", "--check"), is_static=False),
    # By itself: its site is not to share the machine with those of the tests.
    Check(
        "chaos",
        ("timeout", "-k", "10", "600", *_PYTHON, "chaos", "--short"),
        is_static=False,
    ),
    Check(
        "tests",
        (*_PYTHON, "pytest", "-q", "-n", "2", "--cov", "--cov-report=term"),
        is_static=False,
    ),
)


def run(checks: tuple[Check, ...]) -> dict[str, str]:
    """Give the last lines of each that failed."""
    try:
        failures = {check.name: check.failure() for check in checks}
        return {name: lines for name, lines in failures.items() if lines is not None}
    finally:
        data_folder.remove(data_folder.FOLDER)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", choices=["static"])
    only = arguments.parse_args().only
    failed = run(tuple(check for check in CHECKS if check.is_static or only is None))
    # Said again: what came after it may be thousands of lines long.
    for name, last_lines in failed.items():
        print(f"── {name} failed with\n{last_lines}", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    print("all good")


if __name__ == "__main__":
    main()
