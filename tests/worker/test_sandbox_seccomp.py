"""The filter as the kernel reads it, also for the processor that the tests do not run on."""

from __future__ import annotations

import errno
import struct

import pytest

from media_jobs.sandbox import landlock, seccomp
from media_jobs.sandbox import seccomp_calls as calls

ALLOW = 0x7FFF0000
KILL = 0x80000000
DENY = 0x00050000 | errno.EPERM
MISSING = 0x00050000 | errno.ENOSYS
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
# read, write, openat, mmap, futex, execve, exit_group
HARMLESS = {"x86_64": [0, 1, 257, 9, 202, 59, 231], "aarch64": [63, 64, 56, 222, 98, 221, 94]}
BY_ARGUMENT = (
    *(calls.CLONE, calls.FCNTL, calls.IOCTL, calls.PRCTL, calls.PRLIMIT64, calls.SETPRIORITY),
    *(calls.SCHED_SETAFFINITY, calls.SCHED_SETATTR, calls.SCHED_SETPARAM),
    *(calls.SCHED_SETSCHEDULER, calls.TGKILL),
)
OWN_PID = 4321


def decided(
    machine: str,
    number: int,
    *arguments: int,
    arch: int | None = None,
    has_gpu: bool = False,
) -> int:
    """Run the program as ``Documentation/networking/filter.rst`` describes its instructions."""
    built = seccomp.build(machine, has_gpu=has_gpu)
    code = bytearray(built.code)
    struct.pack_into("=I", code, built.own_pid_at, OWN_PID)
    six = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number, arch or ARCH[machine], 0, *six)
    steps = list(struct.iter_unpack("=HBBI", code))
    place, value = 0, 0
    while True:
        operation, yes, no, operand = steps[place]
        place += 1
        if operation == 0x06:
            return int(operand)
        if operation == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif operation == 0x54:
            value &= operand
        else:
            taken = {0x15: value == operand, 0x35: value >= operand}[operation]
            place += yes if taken else no


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_works(machine: str) -> None:
    for number in HARMLESS[machine]:
        assert decided(machine, number) == ALLOW


def test_every_listed_call_is_denied(machine: str) -> None:
    for name, numbers in calls.DENIED.items():
        number = numbers[COLUMN[machine]]
        if number is not None:
            assert decided(machine, number) == DENY, name


def test_what_is_not_listed_is_refused(machine: str) -> None:
    """Whatever number it has: a call that kernels will learn next year, too."""
    column = COLUMN[machine]
    known = {numbers[column] for numbers in (*calls.ALLOWED.values(), *BY_ARGUMENT)}
    for number in (*range(1100), 0x3FFFFFFF):
        if number not in known:
            assert decided(machine, number) in (DENY, MISSING), number


def test_no_call_is_listed_twice() -> None:
    for column in (0, 1):
        listed = [n[column] for t in (calls.ALLOWED, calls.DENIED) for n in t.values()]
        numbers = [number for number in (*listed, *(n[column] for n in BY_ARGUMENT)) if number]
        assert len(set(numbers)) == len(numbers)


def test_no_call_takes_a_disk_at_once(machine: str) -> None:
    """fallocate, copy_file_range, sendfile: answered as on a kernel without, so all write."""
    for numbers in (calls.FALLOCATE, (326, 285), (40, 71)):
        assert decided(machine, numbers[COLUMN[machine]]) == MISSING


def test_threads_but_no_processes(machine: str) -> None:
    clone, clone3 = calls.CLONE[COLUMN[machine]], calls.CLONE3[COLUMN[machine]]
    assert decided(machine, clone, 0x3D0F00) == ALLOW
    assert decided(machine, clone, 17) == DENY
    assert decided(machine, clone3) == MISSING


def test_arguments_decide(machine: str) -> None:
    column = COLUMN[machine]
    assert decided(machine, calls.TGKILL[column], OWN_PID, 1, 6) == ALLOW
    assert decided(machine, calls.TGKILL[column], 1, 1, 6) == DENY
    assert decided(machine, calls.PRLIMIT64[column], 0) == ALLOW
    assert decided(machine, calls.PRLIMIT64[column], OWN_PID + 1) == DENY
    assert decided(machine, calls.PRCTL[column], 15) == ALLOW
    assert decided(machine, calls.PRCTL[column], 1) == DENY
    assert decided(machine, calls.PRCTL[column], 22) == DENY


# The terminal: is it one, type at it, its console; an owner; flags, projects, copies, versions of a
# file; the key of a folder; a call of next year.
@pytest.mark.parametrize("has_gpu", [True, False])
@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        *((0x5401, ALLOW), (0x5412, DENY), (0x541C, DENY), (0x8901, DENY), (0x40086602, DENY)),
        *((0x40046602, DENY), (0x401C5820, DENY), (0x40049409, DENY), (0x4020940D, DENY)),
        *((0x40087602, DENY), (0x800C6613, DENY), (0xC0506617, DENY), (0xC018FF99, DENY)),
    ],
)
def test_few_ioctls(machine: str, request_: int, answer: int, *, has_gpu: bool) -> None:
    number = calls.IOCTL[COLUMN[machine]]
    assert decided(machine, number, 0, request_, has_gpu=has_gpu) == answer


# NVIDIA's, UVM's first, DRM's
@pytest.mark.parametrize("request_", [0xC00846D6, 0x30000001, 0xC0406400])
def test_drivers_are_spoken_to_where_there_is_a_gpu(machine: str, request_: int) -> None:
    number = calls.IOCTL[COLUMN[machine]]
    assert decided(machine, number, 0, request_, has_gpu=True) == ALLOW
    assert decided(machine, number, 0, request_) == DENY


# Copies, flags, locks; owners and signals; a lease and a watch.
@pytest.mark.parametrize("command", [0, 1, 2, 3, 4, 5, 6, 7, 1030])
def test_harmless_fcntls(machine: str, command: int) -> None:
    assert decided(machine, calls.FCNTL[COLUMN[machine]], 1, command) == ALLOW


@pytest.mark.parametrize("command", [8, 10, 15, 1024, 1026, 1031, 1033, 1036, 1100])
def test_fcntls_that_reach_others(machine: str, command: int) -> None:
    assert decided(machine, calls.FCNTL[COLUMN[machine]], 1, command) == DENY


@pytest.mark.parametrize(
    ("which", "who", "answer"),
    [(0, 0, ALLOW), (0, 1, DENY), (1, 0, DENY), (2, 0, DENY), (2, 65534, DENY)],
)
def test_only_its_own_priority_is_changed(machine: str, which: int, who: int, answer: int) -> None:
    assert decided(machine, calls.SETPRIORITY[COLUMN[machine]], which, who) == answer


@pytest.mark.parametrize(
    "numbers",
    [
        calls.SCHED_SETAFFINITY,
        calls.SCHED_SETATTR,
        calls.SCHED_SETPARAM,
        calls.SCHED_SETSCHEDULER,
    ],
)
def test_only_itself_is_scheduled(machine: str, numbers: tuple[int, int]) -> None:
    assert decided(machine, numbers[COLUMN[machine]], 0) == ALLOW
    assert decided(machine, numbers[COLUMN[machine]], OWN_PID + 1) == DENY


def test_what_follows_an_undecided_condition_is_still_judged(machine: str) -> None:
    """Every call after it, not only those before: the number is loaded again."""
    column = COLUMN[machine]
    assert decided(machine, calls.SCHED_SETSCHEDULER[column], 1) == DENY
    assert decided(machine, calls.DENIED["socket"][column] or 0) == DENY
    assert decided(machine, calls.SETPRIORITY[column], 0, 1) == DENY


def test_another_architecture_is_killed(machine: str) -> None:
    i386 = 0x40000003
    assert decided(machine, 1, arch=i386) == KILL


def test_x32_is_denied() -> None:
    assert decided("x86_64", 0x40000000 | 1) == DENY


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(seccomp.UnknownMachine, match="riscv64"):
        seccomp.build("riscv64")


@pytest.mark.parametrize(
    ("abi", "handled"),
    [
        (1, (0x1FFF, 0, 0, 8)),
        (2, (0x3FFF, 0, 0, 8)),
        (3, (0x7FFF, 0, 0, 8)),
        (4, (0x7FFF, 3, 0, 16)),
        (5, (0xFFFF, 3, 0, 16)),
        (6, (0xFFFF, 3, 3, 24)),
        (7, (0xFFFF, 3, 3, 24)),
    ],
)
def test_a_kernel_is_asked_only_for_what_it_knows(
    abi: int, handled: tuple[int, int, int, int]
) -> None:
    assert landlock.handled(abi) == landlock.Handled(*handled)
