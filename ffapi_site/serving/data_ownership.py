"""Where root serves: the data folder is root's again, whoever served from it before.

That was the web server's user perhaps, and who had taken the web server over then had the folder:
root's programs must find nothing in it by which the same one leads them, or could write to it.
"""

from __future__ import annotations

import logging
import pwd
from pathlib import Path

from django.conf import settings

from ffapi_site.database import embedded, remains
from ffapi_site.database.server import SERVER_USER
from ffapi_site.lib import ownership, trees
from ffapi_site.lib.system_user import SITE_USER, NoUser, changeable, system_user

logger = logging.getLogger(__name__)

SHARED = ("media", "uploads", "room")
_DATABASE = ("postgres", "postgres.socket", "postgres.new")
_KEPT = ("audit", "logs", "secrets")
_LOCK = "serving.lock"
_MADE_AGAIN = (
    *("demo", "scratch", "slots", "static", "static.stamp", "supervisord.conf", "supervisord.pid"),
    *("postgres.kept", "postgres.lock", "postgres.new", "postgres.socket"),
)
MADE = (*SHARED, *_DATABASE, *_KEPT, *_MADE_AGAIN, _LOCK)
"""What a site makes in its data folder; what else lies there is nobody's business."""
_ELSEWHERE = (*("STATIC_ROOT", "AUDIT_CHECKPOINT_DIR", "AUDIT_SIGNING_KEY_FILE", "AUDIT_LOG_FILE"),)


class NotTaken(Exception):  # noqa: N818 -- a state, not a mistake
    """The data folder could not be made root's"""


def take_back() -> None:
    """Make root's what the web server's user had while it served by itself, but for `SHARED`.

    Nobody may serve meanwhile. Where it is broken off it is to be done again. Raises ``NotTaken``
    for links of theirs, which root's programs would follow, and for what no site makes.
    """
    try:
        user = pwd.getpwnam(SITE_USER)
    except KeyError:
        return
    try:
        _take_from(user, Path(settings.DATA_DIR))
    except OSError as error:
        raise NotTaken(f"{settings.DATA_DIR} can't be taken from {SITE_USER}: {error}") from error


def _take_from(user: pwd.struct_passwd, data: Path) -> None:
    if data.stat().st_uid == user.pw_uid:
        ownership.close(data)  # first: nothing in it is replaced from here on
        logger.info("A data folder is root's again", extra={"folder": str(data)})
    made = [path for path in data.iterdir() if path.name in MADE]
    theirs = {path.name: path for path in made if path.lstat().st_uid == user.pw_uid}
    for path in theirs.values():
        if path.is_symlink():
            raise NotTaken(
                f"{path} is a link of {SITE_USER}'s; if it is right: chown -h root: {path}"
            )
    _require_nothing_elsewhere(user, data)
    if _LOCK in theirs:
        ownership.close(theirs[_LOCK])  # not made anew: whoever serves holds it
    for path in (theirs[name] for name in _MADE_AGAIN if name in theirs):
        # Nobody works, and it may be as deep as FFmpeg likes.
        if why := trees.remove(path):
            raise NotTaken(f"{path} can't be removed: {why}")
    for path in (data / name for name in _KEPT):
        if path.exists():
            ownership.reclaim(path.resolve(), user.pw_uid)
    _take_database_from(user, data / "postgres")


def _require_nothing_elsewhere(user: pwd.struct_passwd, data: Path) -> None:
    """What root's programs write or believe outside of the folder is not ours to give away."""
    made = [data / name for name in MADE]
    for name in _ELSEWHERE:
        path = Path(getattr(settings, name))
        is_elsewhere = path.name and not any(path.is_relative_to(each) for each in made)
        if is_elsewhere and (found := changeable(path, user)):
            raise NotTaken(
                f"{SITE_USER} may change {found}, and root relies on it ({name}); "
                f"look through it, then: chown -R root: {found}"
            )


def _take_database_from(user: pwd.struct_passwd, folder: Path) -> None:
    """Give the database a user of its own again: the web server's could be the tables' owner."""
    if not folder.exists() or folder.stat().st_uid not in (user.pw_uid, 0):
        return
    try:
        server = system_user(SERVER_USER)
    except NoUser:
        return
    embedded.stop(folder)
    if not remains.clear(folder.resolve(), folder.with_name("postgres.socket")):
        raise NotTaken(f"a process of {SITE_USER}'s that works in {folder} does not end")
    ownership.pass_on(folder.resolve(), server.pw_uid, server.pw_gid)
