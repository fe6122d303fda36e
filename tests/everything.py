"""``make check``, ``make test`` and ``make nightly``: what each lane runs; one failure fails it.

What needs no quiet runs beside the rest, at the lowest priority: the static checks. What was last
green, and what took longest, is left in ``var/last-test.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import data_folder

ROOT = Path(__file__).resolve().parent.parent
LAST = ROOT / "var" / "last-test.json"
_PYTHON = (sys.executable, "-m")
_MANAGE = (sys.executable, "manage.py")
_LAST_LINES = 60
_LEAST_PRIORITY = 19
# Nothing of it is connected to: what is checked is how a careful production would be set up.
_PRODUCTION = {
    "DATABASE_URL": "postgres://ffapi:ffapi@127.0.0.1:5432/ffapi",
    "PUBLIC_BASE_URL": "https://media.example.org",
    "ALLOWED_HOSTS": "media.example.org",
    "SECRET_KEY": "checked-and-thrown-away-0123456789-abcdefghijklmnopqrstuvwxyz",
    "API_KEY_PEPPER": "checked-and-thrown-away",
    "ENCRYPTION_KEYS": "checked-and-thrown-away",
}
# The sizes of what `make test` tries small.
_NIGHTLY = {
    "FFAPI_NIGHTLY": "1",
    "SOAK_JOBS": "500",
    "QUOTA_OPERATIONS": "2000",
    "LOCK_ROUNDS": "50",
    "CANCEL_JOBS": "1000",
    "TWO_HOSTS_JOBS": "50",
    "FUZZ_SECONDS": "600",
    "HOSTILE_SECONDS": "60",
}


@dataclass(frozen=True)
class Check:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def failure(self, *, is_beside: bool = False) -> str | None:
        """Run it, printing what it prints; give its last lines if it fails.

        One that runs ``is_beside`` others is heard of at its end.
        """
        began = time.monotonic()
        if not is_beside:
            print(f"── {self.name}", flush=True)
        # Through a file, not a pipe: a process that it left behind would hold a pipe open.
        with TemporaryDirectory() as folder:
            printed = Path(folder, "printed")
            status = self._run(printed, is_beside=is_beside)
            last = printed.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        verdict = f"FAILED ({status})" if status else "ok"
        print(f"── {self.name}: {verdict} in {time.monotonic() - began:.1f} s\n", flush=True)
        return "\n".join(last) if status else None

    def _run(self, printed: Path, *, is_beside: bool) -> int:
        command = ("nice", "-n", str(_LEAST_PRIORITY), *self.command) if is_beside else self.command
        environment = {**os.environ, **self.environment}
        with printed.open("wb") as output, printed.open(errors="replace") as reader:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            while process.poll() is None:
                if not is_beside:
                    print(reader.read(), end="", flush=True)
                time.sleep(0.2)
            print(reader.read(), end="", flush=True)
            return process.returncode


STATIC = (
    Check("style", (*_PYTHON, "ruff", "check", ".")),
    Check("form", (*_PYTHON, "ruff", "format", "--check", ".")),
    Check("templates", (*_PYTHON, "djlint", "--check", "--lint", "templates")),
    Check("layers", (str(Path(sys.executable).parent / "lint-imports"), "--no-cache")),
    Check("types", (*_PYTHON, "mypy", ".")),
    Check(
        "production settings",
        (*_MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
        environment=_PRODUCTION,
    ),
)
MADE = (
    Check("migrations", (*_MANAGE, "makemigrations", "--check", "--dry-run")),
    Check("generated pages", (*_MANAGE, "ffapi", "docs", "--check")),
)


def chaos(*arguments: str, within_s: int) -> Check:
    return Check("chaos", ("timeout", "-k", "10", str(within_s), *_PYTHON, "chaos", *arguments))


def tests(*arguments: str, **environment: str) -> Check:
    """Two processes whose tests wait for live sites, and one that computes meanwhile."""
    command = (*_PYTHON, "pytest", "-q", "-n", "3", *arguments)
    return Check("tests", command, environment)


@dataclass(frozen=True)
class Lane:
    """``alone`` are run one after the other, ``beside`` likewise beside them."""

    alone: tuple[Check, ...]
    beside: tuple[Check, ...]

    def failures(self) -> dict[str, str]:
        """Give the last lines of each that failed."""
        with ThreadPoolExecutor(1) as pool:
            beside = pool.submit(_failures, self.beside, is_beside=bool(self.alone))
            return _failures(self.alone) | beside.result()


def _failures(checks: Iterable[Check], *, is_beside: bool = False) -> dict[str, str]:
    found = {check.name: check.failure(is_beside=is_beside) for check in checks}
    return {name: lines for name, lines in found.items() if lines is not None}


LANES = {
    "static": Lane((), STATIC),
    "check": Lane((tests("-m", "not slow"),), (*STATIC, *MADE)),
    "test": Lane((chaos("--short", within_s=600), tests()), (*STATIC, *MADE)),
    "nightly": Lane(
        (
            chaos("--minutes", "5", within_s=1800),
            tests("--cov", "--cov-report=term", **_NIGHTLY),
        ),
        (*STATIC, *MADE),
    ),
}


def _git(*arguments: str) -> str:
    command = ("git", *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _tree() -> str | None:
    """The hash of what is checked, where nothing is uncommitted."""
    try:
        return None if _git("status", "--porcelain") else _git("rev-parse", "HEAD^{tree}").strip()
    except (OSError, subprocess.CalledProcessError):
        return None  # sources without their history


def _keep(facts: dict[str, Any]) -> None:
    LAST.parent.mkdir(exist_ok=True)
    LAST.write_text(json.dumps(facts, indent=2) + "\n")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("lane", nargs="?", choices=LANES, default="test")
    lane = arguments.parse_args().lane
    began, tree = time.monotonic(), _tree()
    slowest = data_folder.FOLDER / "slowest.json"
    os.environ["FFAPI_SLOWEST"] = str(slowest)
    try:
        failed = LANES[lane].failures()
        took = json.loads(slowest.read_text()) if slowest.exists() else []
    finally:
        data_folder.remove(data_folder.FOLDER)
    seconds = round(time.monotonic() - began, 1)
    if lane != "static":
        facts = {"lane": lane, "tree": tree, "passed": not failed, "seconds": seconds}
        _keep(facts | {"slowest": took})
    # Said again: what came after it may be thousands of lines long.
    for name, last_lines in failed.items():
        print(f"── {name} failed with\n{last_lines}", flush=True)
    for each in took:
        print(f"{each['seconds']:7.1f} s  {each['test']}", flush=True)
    if failed:
        sys.exit(f"failed in {seconds} s: {', '.join(failed)}")
    print(f"all good in {seconds} s")


if __name__ == "__main__":
    main()
