"""Give up every right that FFmpeg does not need, then become FFmpeg.

Run by itself, never called in the worker: a thread of a Django process cannot safely run Python
between fork and exec. Either once, as ``python3 -I -S launcher.py ORDER... -- PROGRAM ARG...``, or
as ``launcher.py serve=FD``: then it stays, and forks for whatever the worker asks for at that
socket, so that the start of a Python is paid once and not by every step of every job. An order is
``name=value``; ``launch_spec.py`` writes them.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_ADD_RULE = 445
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_RULE_PATH_BENEATH = 1

_CLOSE_RANGE = 436
_LAST_DESCRIPTOR = 0xFFFFFFFF

_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE_PARENT = 0x00008000
_SIGCHLD = 17

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_KEEPCAPS = 8
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 1 << 2
# Python ignores these two, and what is ignored stays so after exec.
_SIGPIPE = 13
_SIGXFSZ = 25
_CPU_GRACE_S = 2

# The one descriptor beside 0, 1 and 2 that is kept, until exec closes it: says what went wrong.
STATUS = 3
_REFUSED = 125

# How the worker and the one that stays talk; `fork_server.py` has the other end.
NONCE_BYTES = 8
# Exit status of what was forked for a request that had been given up.
UNASKED = 94

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


class _SeccompProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _prctl(option: int, value: object = 0, third: object = 0) -> None:
    _checked(_libc.prctl(option, value, third, 0, 0), f"prctl {option}")


class Orders:
    def __init__(self, words: list[str]) -> None:
        self._values: dict[str, list[str]] = {}
        for word in words:
            name, _, value = word.partition("=")
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        self._values.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def one(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    def number(self, name: str) -> int:
        return int(self._values[name][0])


def keep_status(orders: Orders) -> None:
    os.dup2(orders.number("status"), STATUS, inheritable=False)


def say_ready() -> None:
    """Last of all: nothing stops the program any more, and somebody is there to hear it.

    With the parent gone the pipe is broken, which ends this process too.
    """
    os.write(STATUS, b"ready")


def _landlock_ruleset(orders: Orders) -> int | None:
    handled = orders.one("landlock")
    if handled is None:
        return None
    fs, net, scoped, size = map(int, handled.split(":"))
    rights = ctypes.byref(_Ruleset(fs, net, scoped))
    created = _libc.syscall(_LANDLOCK_CREATE_RULESET, rights, ctypes.c_size_t(size), 0)
    ruleset = _checked(created, "landlock_create_ruleset")
    for allowed in orders.all("allow"):
        access, _, path = allowed.partition(":")
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = ctypes.byref(_PathBeneath(int(access), place))
        added = _libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, rule, 0)
        _checked(added, f"landlock_add_rule {path}")
        os.close(place)
    return ruleset


def _limit(orders: Orders) -> None:
    """Set resource limits; a hard limit can only be kept or lowered, so the smaller one counts."""
    for order in orders.all("rlimit"):
        which, wanted = map(int, order.split(":"))
        _, hard = resource.getrlimit(which)
        ceiling = sys.maxsize if hard == resource.RLIM_INFINITY else hard
        soft = min(wanted, ceiling)
        # FFmpeg ends by itself at the soft limit (SIGXCPU), the kernel ends it at the hard one.
        grace = _CPU_GRACE_S if which == resource.RLIMIT_CPU else 0
        resource.setrlimit(which, (soft, min(soft + grace, ceiling)))
    cpus = orders.one("cpus")
    if cpus is not None:
        os.sched_setaffinity(0, map(int, cpus.split(",")))


def _filter_calls(orders: Orders) -> None:
    hexadecimal = orders.one("seccomp")
    if hexadecimal is None:
        return
    code = bytearray.fromhex(hexadecimal)
    place = orders.number("own_pid_at")
    code[place : place + 4] = os.getpid().to_bytes(4, sys.byteorder)
    program = _SeccompProgram(len(code) // 8, bytes(code))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program))


def _become_user(orders: Orders) -> None:
    """Be the sandbox's user, who may still walk to the program through folders closed to it.

    Such as /root, with this project below. Exec takes that capability away, as it does all of one
    that is not root.
    """
    uid = orders.number("uid")
    os.setgroups([int(group) for group in orders.all("group")])
    os.setresgid(uid, uid, uid)
    may_search = orders.one("search") is not None
    if may_search:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)
    if may_search:
        header = ctypes.byref(_CapabilityHeader(_CAPABILITY_VERSION_3, 0))
        kept = (_Capabilities * 2)(_Capabilities(_CAP_DAC_READ_SEARCH, _CAP_DAC_READ_SEARCH, 0))
        _checked(_libc.capset(header, kept), "capset")


def confine(orders: Orders) -> None:
    """Apply every layer, in the one order that works; raises OSError."""
    # While its parents may still be walked; relative names need only the folder.
    os.chdir(orders.all("folder")[0])
    os.umask(0o077)
    ruleset = _landlock_ruleset(orders)
    _limit(orders)
    if orders.one("uid") is not None:
        _become_user(orders)
    # Die with the parent: after the change of user, which clears it. One that died before counts.
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if orders.one("parent") is not None and os.getppid() != orders.number("parent"):
        raise ProcessLookupError("the parent is gone")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if ruleset is not None:
        restricted = _libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
        _checked(restricted, "landlock_restrict_self")
    # An inherited descriptor would reach through every layer.
    closed = _libc.syscall(_CLOSE_RANGE, STATUS + 1, ctypes.c_uint(_LAST_DESCRIPTOR), 0)
    _checked(closed, "close_range")
    for number in (_SIGPIPE, _SIGXFSZ):
        _libc.signal(number, None)
    _filter_calls(orders)


def _become(orders: Orders, command: list[str]) -> None:
    """Never returns: what goes wrong is written to ``STATUS``."""
    keep_status(orders)
    try:
        confine(orders)
        say_ready()
        environment = dict(os.environ)
        environment.pop("PWD", None)  # bubblewrap's
        os.execve(command[0], command, environment)  # noqa: S606 - no shell, on purpose
    except OSError as error:
        os.write(STATUS, str(error).encode())
        os._exit(_REFUSED)


def _read(words: list[str]) -> tuple[Orders, list[str]]:
    split = words.index("--")
    return Orders(words[:split]), words[split + 1 :]


def _serve(control: int) -> None:
    """Fork for every message until the worker is gone.

    A message is a nonce and brings five descriptors: a file with the words, then what becomes
    standard output, standard error and ``STATUS``, then a pipe that tells the process to go on.
    The answer is the nonce and the process's number.
    """
    import socket  # noqa: PLC0415 - only the one that stays pays for it

    asked = socket.socket(fileno=control)
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    while True:
        nonce, descriptors, _, _ = socket.recv_fds(asked, NONCE_BYTES, 5)
        if not nonce:
            os._exit(0)
        # A child of the worker's, not of this one's: it is waited for there, and dies with it.
        machine, flags = os.uname().machine, _CLONE_PARENT | _SIGCHLD
        pid = int(_libc.syscall(_CLONE[machine], flags, 0, 0, 0, 0))
        if pid == 0:
            _become(*_taken(descriptors))
        for descriptor in descriptors:
            os.close(descriptor)
        asked.send(nonce + pid.to_bytes(4, "little", signed=True))


def _taken(descriptors: list[int]) -> tuple[Orders, list[str]]:
    words, *streams, status, go = descriptors
    # Nothing comes where the worker has given the request up: it never learned the number.
    if not os.read(go, 1):
        os._exit(UNASKED)
    os.setsid()
    with open(words, "rb") as file:  # noqa: PTH123 - a descriptor
        orders, command = _read(file.read().decode(errors="surrogateescape").split("\0"))
    for number, descriptor in enumerate(streams, start=1):
        os.dup2(descriptor, number)
    orders.add("status", str(status))
    return orders, command


def main() -> None:
    words = sys.argv[1:]
    if words[0].startswith("serve="):
        _serve(Orders(words).number("serve"))
    _become(*_read(words))


if __name__ == "__main__":
    main()
