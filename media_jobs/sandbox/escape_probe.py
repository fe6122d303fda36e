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
_COLUMN = 1 if platform.machine() == "aarch64" else 0

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    _call_by(seccomp_calls.DENIED[name], *arguments)


def _call_by(numbers: tuple[int, int | None], *arguments: object) -> None:
    number = numbers[_COLUMN]
    if number is None:
        raise OSError(errno.ENOSYS, "syscall")
    if _libc.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), "syscall")


def _connect(family: int, kind: int, address: Any) -> None:
    with socket.socket(family, kind) as opened:
        opened.connect(address)
        opened.send(b"escaped")


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _outlive_parent() -> None:
    if _libc.prctl(1, 0, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), "prctl")


def _inherited() -> None:
    for descriptor in range(3, 256):
        try:
            os.read(descriptor, 1)
        except OSError:
            continue
        return
    raise PermissionError("no descriptor can be read")


def _signal_by_kernel() -> None:
    """Have the kernel send another process a signal of one's choice, through a pipe's owner."""
    fcntl.fcntl(1, fcntl.F_SETOWN, os.getpid())


def _renice(pid: int) -> None:
    os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid))


def _type_at_terminal() -> None:
    if _libc.ioctl(1, 0x5412, b"x") == -1:
        raise OSError(ctypes.get_errno(), "TIOCSTI")


def _lower_limit(of: int) -> None:
    resource.prlimit(of, resource.RLIMIT_CORE, resource.prlimit(of, resource.RLIMIT_CORE))


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


def _attributes() -> dict[str, Callable[[], object]]:
    """What outlives the process in a file that it may read: an input is a link to a stored one."""
    made = b"out/made"
    return {
        "touch": lambda: os.utime(made),
        "touch_by_old_call": lambda: _call("utime", made, None),
        "file_flags": lambda: _opened(
            "out/made", lambda file: fcntl.ioctl(file, _FS_IOC_SETFLAGS, bytes(8))
        ),
        "file_project": lambda: _opened(
            "out/made", lambda file: fcntl.ioctl(file, _FS_IOC_FSSETXATTR, bytes(28))
        ),
        "file_attributes": lambda: _call("file_setattr", _AT_FDCWD, made, None, 0, 0),
        "extended_attribute": lambda: os.setxattr(made, "user.a", b"b"),
        "change_owner": lambda: os.chown(made, -1, -1),
        "lease": lambda: _opened(
            "out/made", lambda file: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        ),
        "watch_folder": lambda: _opened(
            "out", lambda folder: fcntl.fcntl(folder, fcntl.F_NOTIFY, 0)
        ),
        "lock_folder": lambda: _opened("out", lambda folder: fcntl.flock(folder, fcntl.LOCK_EX)),
    }


def _files(outside: Path) -> dict[str, Callable[[], object]]:
    return {
        "read_outside": (outside / "canary").read_bytes,
        "list_outside": lambda: list(outside.iterdir()),
        "write_outside": lambda: (outside / "written").write_bytes(b""),
        "write_input": lambda: Path("in/written").write_bytes(b""),
        "write_folder": lambda: Path("written").write_bytes(b""),
        "write_shared_memory": lambda: Path("/dev/shm/ffapi-probe").write_bytes(b""),  # noqa: S108
        "read_environ": Path("/proc/1/environ").read_bytes,
        "read_own_environ": Path("/proc/self/environ").read_bytes,
        "read_passwd": Path("/etc/passwd").read_bytes,
        "hard_link": lambda: os.link("out/made", "out/linked"),
        "symlink": lambda: Path("out/passwd").symlink_to("/etc/passwd"),
        "chmod": lambda: Path("out/made").chmod(0o755),
        "truncate": lambda: os.truncate("out/made", 0),
        "take_room_at_once": _take_room,
    }


def _sockets(canaries: dict[str, Any]) -> dict[str, Callable[[], object]]:
    tcp, udp = ("127.0.0.1", canaries["tcp"]), ("127.0.0.1", canaries["udp"])
    unix = canaries["outside"] + "/socket"
    return {
        "tcp": lambda: _connect(socket.AF_INET, socket.SOCK_STREAM, tcp),
        "tcp_listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
        "udp": lambda: _connect(socket.AF_INET, socket.SOCK_DGRAM, udp),
        "unix": lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, unix),
        "abstract": lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, canaries["abstract"]),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
        "socketpair": socket.socketpair,
    }


def _processes(parent: int) -> dict[str, Callable[[], object]]:
    return {
        "fork": _fork,
        "clone3": lambda: _call_by(seccomp_calls.CLONE3, None, 0),
        "signal_by_kernel": _signal_by_kernel,
        "renice_parent": lambda: _renice(parent),
        "schedule_parent": lambda: _call_by(seccomp_calls.SCHED_SETSCHEDULER, parent, 0, None),
        "handle_of_parent": lambda: _call("pidfd_open", parent, 0),
        "environ_of_parent": Path(f"/proc/{parent}/environ").read_bytes,
        "signal_parent": lambda: os.kill(parent, 0),
        "limit_parent": lambda: _lower_limit(parent),
        "ptrace_parent": lambda: _call("ptrace", 16, parent, 0, 0),
        "outlive_parent": _outlive_parent,
        "inherited_descriptor": _inherited,
    }


def _kernel() -> dict[str, Callable[[], object]]:
    return {
        "terminal_input": _type_at_terminal,
        "change_user": lambda: _call("setresuid", -1, -1, -1),
        "change_folder": lambda: os.chdir("/"),
        "splice": lambda: _call("vmsplice", 1, None, 0, 0),
        "enter_namespace": lambda: _call("setns", 0, 0),
        "async_io": lambda: _call("io_setup", 0, None),
        "user_namespace": lambda: _call("unshare", _CLONE_NEWUSER),
        "mount": lambda: _call("mount", b"none", b"tmp", b"tmpfs", 0, None),
        "io_uring": lambda: _call("io_uring_setup", 0, None),
        "bpf": lambda: _call("bpf", 0, None, 0),
        "keyctl": lambda: _call("keyctl", 0, -3, 0),
        "memfd": lambda: _call("memfd_create", b"x", 0),
        "userfaultfd": lambda: _call("userfaultfd", 1),
        "perf_event": lambda: _call("perf_event_open", None, 0, -1, -1, 0),
        "personality": lambda: _call("personality", ctypes.c_ulong(0xFFFFFFFF)),
        "shared_memory": lambda: _call("shmget", 0, ctypes.c_size_t(4096), 0o600),
    }


def _is_blocked(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError as error:
        return error.errno in _REFUSALS | _NOT_THERE or error.errno is None
    return False


def _say(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    words = sys.argv[1:]
    split = words.index("--")
    orders, canaries = launcher.Orders(words[:split]), json.loads(words[split + 1])
    launcher.keep_status(orders)
    launcher.confine(orders)
    launcher.say_ready()
    os.close(launcher.STATUS)
    Path("out/made").write_bytes(b"made")
    attempts = {
        **_files(Path(canaries["outside"])),
        **_attributes(),
        **_private(canaries["private"]),
        **_sockets(canaries),
        **_processes(canaries["parent"]),
        **_kernel(),
    }
    for name, attempt in attempts.items():
        _say([name, _is_blocked(attempt)])
    _run_shell()


def _run_shell() -> None:
    """Last, because success replaces this process."""
    try:
        shell_says = "echo '[\"run_shell\", false]'; echo '\"end\"'"
        os.execve("/bin/sh", ["sh", "-c", shell_says], {})  # noqa: S606
    except OSError:
        _say(["run_shell", True])
        _say("end")


if __name__ == "__main__":
    main()
