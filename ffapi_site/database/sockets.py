"""Where the embedded server's socket is: a folder that nobody but its own users can enter."""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# sockaddr_un has 108 bytes for the path and its end (unix(7)).
_LONGEST = 107 - len("/.s.PGSQL.5432")
_TEMPORARY = Path("/tmp")  # noqa: S108 -- not TMPDIR, which differs; make() looks whose it is


class NotOurs(Exception):  # noqa: N818 -- a state, not a mistake
    """The folder is somebody else's, or open to others"""


def short_name(folder: Path) -> str:
    """Tell the server of a data folder from others, in few letters."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:10]


def place(folder: Path, uid: int) -> Path:
    """Give the socket's folder of a server's data folder: the same, whoever of the site asks.

    Beside the data; where that path is too long for a socket, in ``/tmp`` under a folder of
    ``uid``, as whom the server runs. Not in ``$XDG_RUNTIME_DIR``: it goes when its user signs out.
    """
    beside = folder.with_name(f"{folder.name}.socket")
    if len(os.fsencode(beside)) <= _LONGEST:
        return beside
    return _TEMPORARY / f"ffapi-{uid}" / short_name(folder)


def make(sockets: Path, user: pwd.struct_passwd, group: int | None) -> None:
    """Make the folder, the user's and closed to all others, but for passing by the group.

    The group's members may then connect: what is made in the folder is the group's (mode 2710).
    Raises ``NotOurs`` where somebody else was there first, with a link for example.
    """
    if sockets.parent.parent == _TEMPORARY:
        with _private(sockets.parent, user.pw_uid) as parent:
            os.fchmod(parent, 0o711)
    with _private(sockets, user.pw_uid) as folder:
        if os.geteuid() == 0:
            os.fchown(folder, user.pw_uid, user.pw_gid if group is None else group)
        os.fchmod(folder, 0o700 if group is None else 0o2710)


@contextmanager
def _private(folder: Path, uid: int) -> Iterator[int]:
    """Open it, made where missing. /tmp is sticky: what is ours in it nobody else can put aside."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise _not_ours(folder) from error
    try:
        if os.fstat(opened).st_uid not in (uid, os.geteuid()):
            raise _not_ours(folder)
        yield opened
    finally:
        os.close(opened)


def _not_ours(folder: Path) -> NotOurs:
    return NotOurs(
        f"{folder} is not a folder of ours; remove it, or choose a shorter FFAPI_DATA_DIR"
    )
