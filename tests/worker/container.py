"""Run a program as a container with Docker's default rules would.

As another user, without new rights and behind a filter that refuses namespaces and mounts:
``python3 -m tests.worker.container [--without-landlock] UID PROGRAM ARG...``
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from media_jobs.sandbox import seccomp_calls as calls

ROOT = Path(__file__).parents[2]
# One that every user may run, with the packages of this one.
PYTHON = "/usr/bin/python3"
needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not Path(PYTHON).exists(), reason="only root can become another user"
)
_NAMESPACES = 0x7E020000  # CLONE_NEW*, but for the time namespace
_LANDLOCK_CREATE_RULESET = 444
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_REFUSED = (
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsmount"),
    *("move_mount", "open_tree", "keyctl", "bpf", "perf_event_open", "userfaultfd"),
)


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _program(*, has_landlock: bool) -> bytes:
    column = 1 if os.uname().machine == "aarch64" else 0
    steps = [_step(_LOAD, 0)]
    answers = {calls.DENIED[name][column]: errno.EPERM for name in _REFUSED}
    answers[calls.CLONE3[column]] = errno.ENOSYS
    if not has_landlock:
        answers[_LANDLOCK_CREATE_RULESET] = errno.ENOSYS
    for number, answer in answers.items():
        assert number is not None
        steps += [_step(_JUMP_EQUAL, number, no=1), _step(_RETURN, _ERRNO | answer)]
    steps += [
        _step(_JUMP_EQUAL, calls.CLONE[column], no=3),
        _step(_LOAD, 16),
        _step(_JUMP_ANY_BIT, _NAMESPACES, no=1),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(steps)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def packages() -> str:
    return next(path for path in sys.path if path.endswith("site-packages"))


def selftest(data: Path, uid: int, *options: str, **more: str) -> dict[str, Any]:
    """What ``sandbox selftest`` finds for user ``uid`` in a container; ``more`` is environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "FFAPI_DATA_DIR": str(data),
        "PYTHONPATH": f"{ROOT}:{packages()}",
        "PYTHONDONTWRITEBYTECODE": "1",
    } | more
    command = [sys.executable, "-m", "tests.worker.container", *options, str(uid), PYTHON]
    command += ["manage.py", "sandbox", "selftest", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    facts: dict[str, Any] = json.loads(done.stdout or "{}")
    assert facts, done.stderr
    assert done.returncode == int(not facts["allowed"])
    return facts


def main() -> None:
    words = sys.argv[1:]
    has_landlock = words[0] != "--without-landlock"
    uid, *command = words if has_landlock else words[1:]
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(int(uid), int(uid), int(uid))
        os.setresuid(int(uid), int(uid), int(uid))
    libc = ctypes.CDLL(None, use_errno=True)
    code = _program(has_landlock=has_landlock)
    filtered = _Filter(len(code) // 8, code)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(filtered), 0, 0):
        raise OSError(ctypes.get_errno(), "the container could not be made")
    os.execvp(command[0], command)  # noqa: S606 - what it is for


if __name__ == "__main__":
    main()
