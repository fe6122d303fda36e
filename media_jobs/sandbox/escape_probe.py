"""Try to leave the sandbox, from inside: the self-test's other half.

Started in place of the launcher, with the same orders. It confines itself, makes one attempt after
the other and writes a line for each: ``["name", blocked]``.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import platform
import resource
import socket
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

# Started by its path, so the project is not on the module path.
# By their files: the package would bring in what nobody needs who is confined.
sys.path.insert(0, str(Path(__file__).resolve().parent))

launcher, seccomp_calls = import_module("launcher"), import_module("seccomp_calls")

_REFUSALS = {errno.EPERM, errno.EACCES, errno.ENOSYS}
# What is not to be seen, in namespaces of one's own; all that is tried is there outside.
_NOT_THERE = {errno.ENOENT, errno.EROFS, errno.ESRCH, errno.ECONNREFUSED, errno.ENETUNREACH}
_FS_IOC_SETFLAGS = 0x40086602
_FS_IOC_FSSETXATTR = 0x401C5820
_AT_FDCWD = -100
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_TIOCSTI = 0x5412
_MADE = b"out/made"
_COLUMN = 1 if platform.machine() == "aarch64" else 0

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    _call_by(seccomp_calls.DENIED[name], *arguments)


def _call_by(numbers: tuple[int, int | None], *arguments: object) -> None:
    number = numbers[_COLUMN]
    if number is None:
        raise OSError(errno.ENOSYS, "syscall")
    _checked(_libc.syscall(number, *arguments))


def _checked(result: int) -> None:
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")


def _connect(family: int, kind: int, address: Any) -> None:
    with socket.socket(family, kind) as opened:
        opened.connect(address)
        opened.send(b"escaped")


def _inherited() -> None:
    for descriptor in range(3, 256):
        try:
            os.read(descriptor, 1)
        except OSError:
            continue
        return
    raise PermissionError("no descriptor can be read")


def _private(tried: list[dict[str, str]]) -> dict[str, Callable[[], object]]:
    """What the installation keeps, where it really keeps it."""
    attempts: dict[str, Callable[[], object]] = {}
    for each in tried:
        name = each["name"]
        if each["file"]:
            attempts[f"read_{name}"] = Path(each["file"]).read_bytes
        if each["file"] and each["folder"]:
            attempts[f"list_{name}"] = partial(_list, Path(each["file"]))
        if each["to_write"]:
            attempts[f"write_{name}"] = partial(Path(each["to_write"]).write_bytes, b"")
    return attempts


def _list(file: Path) -> None:
    """In namespaces of its own the folder may be there, with nothing but what was put into it."""
    if file.name not in os.listdir(file.parent):  # noqa: PTH208 - all names at once
        raise FileNotFoundError(errno.ENOENT, "it is not to be seen")


def _opened(path: str, use: Callable[[int], object]) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        use(opened)
    finally:
        os.close(opened)


def _take_room() -> None:
    """What the kernel bounds by no limit where the size of the file stays."""
    keep_size, first, size_bytes = 1, ctypes.c_long(0), ctypes.c_long(4096)
    made = os.open("out/made", os.O_WRONLY)
    try:
        _call_by(seccomp_calls.FALLOCATE, made, keep_size, first, size_bytes)
    finally:
        os.close(made)


# By name, each with what it is told: where the canaries are, as `canaries.py` puts them up.
_ATTEMPTS: dict[str, Callable[[dict[str, Any]], object]] = {
    # Files.
    "read_outside": lambda told: Path(told["outside"], "canary").read_bytes(),
    "list_outside": lambda told: list(Path(told["outside"]).iterdir()),
    "write_outside": lambda told: Path(told["outside"], "written").write_bytes(b""),
    "write_input": lambda _: Path("in/written").write_bytes(b""),
    "write_folder": lambda _: Path("written").write_bytes(b""),
    "write_shared_memory": lambda _: Path("/dev/shm/ffapi-probe").write_bytes(b""),  # noqa: S108
    "read_environ": lambda _: Path("/proc/1/environ").read_bytes(),
    "read_own_environ": lambda _: Path("/proc/self/environ").read_bytes(),
    "read_passwd": lambda _: Path("/etc/passwd").read_bytes(),
    "hard_link": lambda _: os.link("out/made", "out/linked"),
    "symlink": lambda _: Path("out/passwd").symlink_to("/etc/passwd"),
    "chmod": lambda _: Path("out/made").chmod(0o755),
    "truncate": lambda _: os.truncate("out/made", 0),
    "take_room_at_once": lambda _: _take_room(),
    # What outlives the process in a file that it may read: an input is a link to a stored one.
    "touch": lambda _: os.utime(_MADE),
    "touch_by_old_call": lambda _: _call("utime", _MADE, None),
    "file_flags": lambda _: _opened(
        "out/made", lambda file: fcntl.ioctl(file, _FS_IOC_SETFLAGS, bytes(8))
    ),
    "file_project": lambda _: _opened(
        "out/made", lambda file: fcntl.ioctl(file, _FS_IOC_FSSETXATTR, bytes(28))
    ),
    "file_attributes": lambda _: _call("file_setattr", _AT_FDCWD, _MADE, None, 0, 0),
    "extended_attribute": lambda _: os.setxattr(_MADE, "user.a", b"b"),
    "change_owner": lambda _: os.chown(_MADE, -1, -1),
    "lease": lambda _: _opened(
        "out/made", lambda file: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    ),
    "watch_folder": lambda _: _opened("out", lambda file: fcntl.fcntl(file, fcntl.F_NOTIFY, 0)),
    "lock_folder": lambda _: _opened("out", lambda file: fcntl.flock(file, fcntl.LOCK_EX)),
    # Sockets.
    "tcp": lambda told: _connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", told["tcp"])),
    "tcp_listen": lambda _: socket.create_server(("127.0.0.1", 0)).close(),
    "udp": lambda told: _connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", told["udp"])),
    "unix": lambda told: _connect(socket.AF_UNIX, socket.SOCK_STREAM, told["outside"] + "/socket"),
    "abstract": lambda told: _connect(socket.AF_UNIX, socket.SOCK_STREAM, told["abstract"]),
    "netlink": lambda _: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "socketpair": lambda _: socket.socketpair(),
    # Processes.
    "fork": lambda _: os.waitpid(os.fork() or os._exit(0), 0),
    "clone3": lambda _: _call_by(seccomp_calls.CLONE3, None, 0),
    # The kernel sends another process a signal of one's choice, through the owner of a pipe.
    "signal_by_kernel": lambda _: fcntl.fcntl(1, fcntl.F_SETOWN, os.getpid()),
    "renice_parent": lambda told: os.setpriority(
        os.PRIO_PROCESS, told["parent"], os.getpriority(os.PRIO_PROCESS, told["parent"])
    ),
    "schedule_parent": lambda told: _call_by(
        seccomp_calls.SCHED_SETSCHEDULER, told["parent"], 0, None
    ),
    "handle_of_parent": lambda told: _call("pidfd_open", told["parent"], 0),
    "environ_of_parent": lambda told: Path(f"/proc/{told['parent']}/environ").read_bytes(),
    "signal_parent": lambda told: os.kill(told["parent"], 0),
    "limit_parent": lambda told: resource.prlimit(
        told["parent"],
        resource.RLIMIT_CORE,
        resource.prlimit(told["parent"], resource.RLIMIT_CORE),
    ),
    "ptrace_parent": lambda told: _call("ptrace", 16, told["parent"], 0, 0),
    "outlive_parent": lambda _: _checked(_libc.prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)),
    "inherited_descriptor": lambda _: _inherited(),
    # The kernel.
    "terminal_input": lambda _: _checked(_libc.ioctl(1, _TIOCSTI, b"x")),
    "change_user": lambda _: _call("setresuid", -1, -1, -1),
    "change_folder": lambda _: os.chdir("/"),
    "splice": lambda _: _call("vmsplice", 1, None, 0, 0),
    "enter_namespace": lambda _: _call("setns", 0, 0),
    "async_io": lambda _: _call("io_setup", 0, None),
    "user_namespace": lambda _: _call("unshare", _CLONE_NEWUSER),
    "mount": lambda _: _call("mount", b"none", b"tmp", b"tmpfs", 0, None),
    "io_uring": lambda _: _call("io_uring_setup", 0, None),
    "bpf": lambda _: _call("bpf", 0, None, 0),
    "keyctl": lambda _: _call("keyctl", 0, -3, 0),
    "memfd": lambda _: _call("memfd_create", b"x", 0),
    "userfaultfd": lambda _: _call("userfaultfd", 1),
    "perf_event": lambda _: _call("perf_event_open", None, 0, -1, -1, 0),
    "personality": lambda _: _call("personality", ctypes.c_ulong(0xFFFFFFFF)),
    "shared_memory": lambda _: _call("shmget", 0, ctypes.c_size_t(4096), 0o600),
}


def _say(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    words = sys.argv[1:]
    split = words.index("--")
    orders, told = launcher.Orders(words[:split]), json.loads(words[split + 1])
    launcher.keep_status(orders)
    launcher.confine(orders)
    launcher.say_ready()
    os.close(launcher.STATUS)
    Path("out/made").write_bytes(b"made")
    attempts = _private(told["private"])
    attempts |= {name: partial(attempt, told) for name, attempt in _ATTEMPTS.items()}
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError as error:
            is_blocked = error.errno in _REFUSALS | _NOT_THERE or error.errno is None
        else:
            is_blocked = False
        _say([name, is_blocked])
    # Last, because success replaces this process.
    shell_says = "echo '[\"run_shell\", false]'; echo '\"end\"'"
    try:
        os.execve("/bin/sh", ["sh", "-c", shell_says], {})  # noqa: S606
    except OSError:
        _say(["run_shell", True])
        _say("end")


if __name__ == "__main__":
    main()
