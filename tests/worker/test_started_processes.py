"""Nothing but the sandbox starts a process on media: no other code can start any."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ffapi_site", "media_jobs", "storage", "accounts")

# Each module that may, what by, and why.
ALLOWED = {
    ("media_jobs.sandbox.spawn", "subprocess"): "the door: launcher and self-test",
    ("media_jobs.sandbox.fork_server", "subprocess"): "keeps the launcher that forks",
    ("media_jobs.sandbox.process", "subprocess"): "the type of what the door gives",
    ("media_jobs.sandbox.namespaces", "subprocess"): "tries whether bubblewrap starts",
    ("media_jobs.sandbox.launcher", "os.execve"): "becomes FFmpeg, confined",
    ("media_jobs.sandbox.launcher", "ctypes"): "system calls that Python has no name for",
    ("media_jobs.sandbox.landlock", "ctypes"): "asks the kernel for its version of Landlock",
    ("media_jobs.sandbox.seccomp", "ctypes"): "asks the kernel whether it filters",
    ("media_jobs.sandbox.namespaces", "ctypes"): "waits for what bubblewrap leaves",
    ("media_jobs.sandbox.escape_probe", "ctypes"): "the self-test, confined",
    ("media_jobs.sandbox.escape_probe", "os.fork"): "the self-test, confined",
    ("media_jobs.sandbox.escape_probe", "os.execve"): "the self-test, confined",
    ("media_jobs.worker.remote_input", "ctypes"): "asks the kernel what was read of a file",
    ("media_jobs.host.slot_state", "multiprocessing"): "a semaphore shared by a slot's processes",
    ("ffapi_site.database.server", "subprocess"): "PostgreSQL's own programs",
    ("ffapi_site.lib.system_user", "subprocess"): "makes the user that a program of ours runs as",
    ("ffapi_site.lib.shared_folders", "ctypes"): "takes on another user's rights to files",
    ("ffapi_site.lib.watched", "ctypes"): "our own processes die with who started them",
    ("ffapi_site.lib.watched", "os.fork"): "a program of ours, watched by its parent",
    ("ffapi_site.serving.forks", "os.fork"): "the supervisor of our own programs",
    ("ffapi_site.serving.forks", "import_module"): "what our own programs load",
    ("ffapi_site.serving.web_user", "subprocess"): "tries whether a user can run the web server",
    ("ffapi_site.serving.trial", "import_module"): "the parts of the web server, by their names",
    ("ffapi_site.serving.tied", "ctypes"): "our own programs die with their starter",
    ("ffapi_site.serving.tied", "os.execvp"): "a program of ours, in the place of its starter",
    ("media_jobs.operations.core.registry", "import_module"): "the operations' files",
    ("media_jobs.sandbox.escape_probe", "import_module"): "its neighbours, without the package",
    ("media_jobs.migrations.0011_held_tenants", "import_module"): "an earlier migration",
    ("media_jobs.migrations.0017_slots_for_others", "import_module"): "an earlier migration",
    ("media_jobs.migrations.0022_one_claim", "import_module"): "an earlier migration",
    ("accounts.migrations.0016_begun_work", "import_module"): "an earlier migration",
}

MODULES = {"subprocess", "pty", "multiprocessing", "ctypes", "cffi", "_posixsubprocess", "popen2"}
FUNCTIONS = ("exec", "spawn", "posix_spawn", "fork", "system", "popen", "startfile")
ELSEWHERE = {
    "create_subprocess_exec",
    "create_subprocess_shell",
    "subprocess_exec",
    "ProcessPoolExecutor",
    "import_module",
    "__import__",
    "Popen",
}


def _sources() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path
    yield "manage", ROOT / "manage.py"


def ways(source: str) -> set[str]:
    """Give what in ``source`` could start a process."""
    return {way for node in ast.walk(ast.parse(source)) for way in _ways_of(node)}


def _ways_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name for alias in node.names if (name := alias.name.split(".")[0]) in MODULES)
    elif isinstance(node, ast.ImportFrom):
        yield from _imported(node)
    elif isinstance(node, ast.Attribute):
        yield from _named(ast.unparse(node.value), node.attr)
    elif isinstance(node, ast.Name) and node.id in ELSEWHERE:
        yield node.id


def _imported(node: ast.ImportFrom) -> Iterator[str]:
    module = (node.module or "").split(".")[0]
    if module in MODULES:
        yield module
    for alias in node.names:
        yield from _named(module, alias.name)


def _named(of: str, name: str) -> Iterator[str]:
    if of in {"os", "posix"} and name.startswith(FUNCTIONS):
        yield f"os.{name}"
    elif name in ELSEWHERE and of not in MODULES:
        yield name


def test_it_works() -> None:
    """Nor is the list longer than needed."""
    found = {(module, way) for module, path in _sources() for way in ways(path.read_text())}
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set()


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "import subprocess as s",
        "from subprocess import run",
        "import os\nos.system('ffmpeg')",
        "import os\nrun = os.execvp",
        "from os import posix_spawn",
        "from os import popen as p",
        "import os\nos.forkpty()",
        "from multiprocessing import Process",
        "import multiprocessing.pool",
        "import asyncio\nasyncio.create_subprocess_exec('ffmpeg')",
        "from concurrent.futures import ProcessPoolExecutor",
        "import psutil\npsutil.Popen(['ffmpeg'])",
        "import importlib\nimportlib.import_module('sub' + 'process')",
        "__import__('subprocess')",
        "import ctypes",
    ],
)
def test_no_way_is_overlooked(source: str) -> None:
    assert ways(source)
