"""Users of the operating system that run programs of ours where the site itself is root's."""

from __future__ import annotations

import logging
import os
import pwd
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

SITE_USER = "ffapi"  # the web server's


class NoUser(Exception):  # noqa: N818 -- a state, not a mistake
    """The user is not there and could not be made"""


def system_user(name: str) -> pwd.struct_passwd:
    """Give the user, made where missing: without a home, a shell or a password. Only for root."""
    with suppress(KeyError):
        return pwd.getpwnam(name)
    command = ["useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name]
    try:  # that it fails where another process was first is found out by looking
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 -- our own words
    except FileNotFoundError as error:
        raise NoUser(f"there is no useradd; make the system user {name} yourself") from error
    try:
        return pwd.getpwnam(name)
    except KeyError as error:
        raise NoUser(f"the system user {name} is missing; make it: useradd -r {name}") from error


def barred(path: Path, user: pwd.struct_passwd) -> list[Path]:
    """The folders on the way to ``path`` that the user may not pass through, the outermost first.

    By owner, group and others as POSIX does; access lists are not looked at.
    """
    found = []
    for folder in reversed(path.parents):
        seen = folder.stat()
        is_own, is_of_group = seen.st_uid == user.pw_uid, seen.st_gid == user.pw_gid
        right = stat.S_IXUSR if is_own else stat.S_IXGRP if is_of_group else stat.S_IXOTH
        if not seen.st_mode & right:
            found.append(folder)
    return found


def changeable(path: Path, user: pwd.struct_passwd) -> Path | None:
    """The outermost of ``path`` and the folders above it that the user may change; None: none.

    By owner and modes, as above. A sticky folder of another's, /tmp say, keeps what is in it.
    """
    real = path.resolve()
    return next((each for each in (*reversed(real.parents), real) if _may_change(each, user)), None)


def _may_change(path: Path, user: pwd.struct_passwd) -> bool:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return False
    if seen.st_uid == user.pw_uid:
        return True
    if stat.S_ISDIR(seen.st_mode) and seen.st_mode & stat.S_ISVTX:
        return False
    by_group = seen.st_gid == user.pw_gid and seen.st_mode & stat.S_IWGRP
    return bool(by_group or seen.st_mode & stat.S_IWOTH)


def let_through(path: Path, user: pwd.struct_passwd) -> None:
    """Let the user pass to ``path``: others may then search those folders, but not list them."""
    for folder in barred(path, user):
        mode = stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH
        if folder.stat().st_gid == user.pw_gid:
            mode |= stat.S_IXGRP
        logger.warning(
            "A folder was opened for passing through",
            extra={"folder": str(folder), "mode": f"{mode:04o}", "for": user.pw_name},
        )
        folder.chmod(mode)


def let_use(programs: Path, user: pwd.struct_passwd) -> None:
    """Let the user read and run what is in the folder, which a strict umask may have closed."""
    let_through(programs, user)
    if programs.stat().st_mode & 0o005 == 0o005:
        return
    for place, _, names in os.walk(programs):
        Path(place).chmod(0o755)
        for path in (Path(place, name) for name in names):
            path.chmod(path.stat().st_mode | 0o044 | (path.stat().st_mode & 0o100) >> 6)
