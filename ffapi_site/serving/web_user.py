"""Where root serves: a user of its own for the web server, who has what it writes and no more.

All else in the data folder is root's, whose programs trust it: who took over the web server can
neither change what they are told nor put links in their way. What both of them write in is that
user's (`ffapi_site.lib.shared_folders`), but for the scratch folder: there each has folders of its
own that the other can't touch, as in /tmp.
"""

from __future__ import annotations

import logging
import os
import pwd
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import django
from django.conf import settings

from ffapi_site.lib.ownership import hand_over
from ffapi_site.lib.system_user import (
    SITE_USER,
    NoUser,
    barred,
    changeable,
    let_through,
    let_use,
    system_user,
)
from ffapi_site.serving import trial
from ffapi_site.serving.data_ownership import SHARED
from ffapi_site.serving.supervision import identity
from media_jobs.sandbox import layers

logger = logging.getLogger(__name__)

_READ_SECRETS = ("secret_key", "api_key_pepper", "encryption_keys")
_TRIED_WITHIN_S = 60


class NotUsable(Exception):  # noqa: N818 -- a state, not a mistake
    """The web server can't have a user of its own here"""


def made_ready() -> str:
    """Give the web server's user, who can run it and has its folders; raises ``NotUsable``."""
    try:
        user = system_user(SITE_USER)
    except NoUser as error:
        raise NotUsable(str(error)) from error
    data = Path(settings.DATA_DIR)
    if data.stat().st_uid != 0:
        raise NotUsable(f"{data} is neither root's nor {SITE_USER}'s")
    # What root runs, and where it works, must not be that user's to replace.
    python = Path(sys.executable)
    for path in (data, settings.BASE_DIR / "manage.py", python, Path(django.__file__)):
        if found := changeable(path, user):
            raise NotUsable(f"{user.pw_name} may change {found}, which root's programs rely on")
    try:
        _let_read(user)
        _require_trial(user)
        _share(user)
    except OSError as error:
        raise NotUsable(str(error)) from error
    return user.pw_name


def _let_read(user: pwd.struct_passwd) -> None:
    let_through(Path(settings.DATA_DIR) / "media", user)
    let_use(Path(settings.STATIC_ROOT), user)
    secrets = Path(settings.DATA_DIR) / "secrets"
    if secrets.exists():
        os.chown(secrets, 0, user.pw_gid)
        secrets.chmod(0o710)
    for path in filter(Path.exists, (secrets / name for name in _READ_SECRETS)):
        os.chown(path, 0, user.pw_gid)
        path.chmod(0o640)


def _share(user: pwd.struct_passwd) -> None:
    for folder in (Path(settings.DATA_DIR) / name for name in SHARED):
        folder.mkdir(exist_ok=True, mode=0o700)
        owner = folder.stat().st_uid
        if owner not in (0, user.pw_uid):
            raise NotUsable(f"{folder} is neither root's nor {user.pw_name}'s")
        if owner == 0:
            if any(folder.iterdir()):
                extra = {"path": str(folder.resolve()), "to": user.pw_name}
                logger.info("A part of the data is handed over", extra=extra)
            hand_over(folder.resolve(), user.pw_uid, user.pw_gid)
    scratch = Path(settings.SCRATCH_DIR)
    scratch.mkdir(exist_ok=True, mode=0o700)
    os.chown(scratch, 0, user.pw_gid)
    scratch.chmod(0o1770)


def _require_trial(user: pwd.struct_passwd) -> None:
    """Have that user start Python and all that the web server needs, with the real settings."""
    wanted = []
    try:
        with suppress(layers.SandboxUnavailable):  # that user need do no more than root can
            layers.require()
            wanted = [trial.CONFINE]
        tried = subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-m", "ffapi_site.serving.trial", *wanted],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=os.getgrouplist(user.pw_name, user.pw_gid),
            env=os.environ | identity(user.pw_name),
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TRIED_WITHIN_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotUsable(_in_the_way(user) or str(error)) from error
    if tried.returncode:
        lines = tried.stderr.strip().splitlines() or [f"it ended with {tried.returncode}"]
        raise NotUsable(_in_the_way(user) or f"{user.pw_name} can't start it: {lines[-1]}")


def _in_the_way(user: pwd.struct_passwd) -> str:
    """Name a folder that keeps the user from Python or from the sources; empty where none does."""
    python = Path(sys.executable)
    for path in (python, python.resolve(), settings.BASE_DIR / "manage.py"):
        if found := barred(path, user):
            return f"{user.pw_name} may not pass {found[0]}, in which {path} lies"
    return ""
