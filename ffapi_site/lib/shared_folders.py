"""Folders in which root's programs work beside the web server, which has a user of its own.

They are that user's, ``SITE_USER``: who took over the web server can put links into them. So root
works there with that user's rights to files: what it makes is the user's, and nothing that lies
there leads it to where the user could not go.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from ffapi_site.lib.system_user import SITE_USER
from ffapi_site.lib.watched import death_with_parent_kept

_user_named = cache(pwd.getpwnam)  # once it is there
_libc = ctypes.CDLL(None)
# They give the one before.
_libc.setfsuid.restype = _libc.setfsgid.restype = ctypes.c_uint32
_libc.setfsuid.argtypes = _libc.setfsgid.argtypes = [ctypes.c_uint32]


def other_owner(folder: Path) -> pwd.struct_passwd | None:
    """Give the web server's user where this process is root's and ``folder`` is that user's."""
    if os.geteuid() != 0:
        return None
    try:
        user = _user_named(SITE_USER)
        return user if folder.stat().st_uid == user.pw_uid else None
    except (KeyError, FileNotFoundError):
        return None


@contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """Have this thread reach files as the owner of ``folder`` does, where that is another."""
    owner = other_owner(folder)
    if owner is None:
        yield
        return
    with by_rights_of(owner):
        yield


@contextmanager
def by_rights_of(user: pwd.struct_passwd) -> Iterator[None]:
    """Have this thread of root's reach files as ``user`` does.

    By setfsuid(2), of one thread and those that it starts meanwhile; what is open stays open. All
    rights besides those to files stay root's.
    """
    with death_with_parent_kept():
        with suppress(PermissionError):  # a root of few rights, who can't become another either
            if os.getgroups():
                os.setgroups([])  # they give root nothing, and the owner has others
        gid = _libc.setfsgid(user.pw_gid)
        uid = _libc.setfsuid(user.pw_uid)
        try:
            yield
        finally:
            _libc.setfsuid(uid)
            _libc.setfsgid(gid)
