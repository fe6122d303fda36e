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

from tests import data_folder

ROOT = Path(__file__).resolve().parent.parent
_PYTHON = (sys.executable, "-m")
_MANAGE = (sys.executable, "manage.py")
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

    def passes(self) -> bool:
        began = time.monotonic()
        print(f"── {self.name}", flush=True)
        environment = {**os.environ, **self.environment}
        status = subprocess.run(self.command, cwd=ROOT, env=environment, check=False).returncode
        verdict = "ok" if status == 0 else f"FAILED ({status})"
        print(f"── {self.name}: {verdict} in {time.monotonic() - began:.1f} s\n", flush=True)
        return status == 0


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


def run(checks: tuple[Check, ...]) -> list[str]:
    try:
        return [check.name for check in checks if not check.passes()]
    finally:
        data_folder.remove(data_folder.FOLDER)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", choices=["static"])
    only = arguments.parse_args().only
    failed = run(tuple(check for check in CHECKS if check.is_static or only is None))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    print("all good")


if __name__ == "__main__":
    main()
