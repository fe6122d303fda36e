"""The filter as the kernel reads it, also for the processor that the tests do not run on."""

from __future__ import annotations

import errno
import struct

import pytest

from media_jobs.worker import landlock, seccomp
from media_jobs.worker import seccomp_calls as calls

ALLOW = 0x7FFF0000
KILL = 0x80000000
DENY = 0x00050000 | errno.EPERM
MISSING = 0x00050000 | errno.ENOSYS
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
# read, write, openat, mmap, futex, execve, exit_group
HARMLESS = {"x86_64": [0, 1, 257, 9, 202, 59, 231], "aarch64": [63, 64, 56, 222, 98, 221, 94]}
OWN_PID = 4321


def decided(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """Run the program as ``Documentation/networking/filter.rst`` describes its instructions."""
    built = seccomp.build(machine)
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
    assert decided(machine, calls.IOCTL[column], 0, 0x5401) == ALLOW
    assert decided(machine, calls.IOCTL[column], 0, 0x5412) == DENY
    assert decided(machine, calls.IOCTL[column], 0, 0x541C) == DENY
    assert decided(machine, calls.IOCTL[column], 0, 0x8901) == DENY


def test_other_processes_get_no_signals_through_the_kernel(machine: str) -> None:
    number = calls.FCNTL[COLUMN[machine]]
    for command, answer in ((1, ALLOW), (3, ALLOW), (8, DENY), (10, DENY), (15, DENY)):
        assert decided(machine, number, 1, command) == answer


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
