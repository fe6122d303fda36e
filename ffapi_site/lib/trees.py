"""Remove and measure folders that somebody else filled: however deep, wide, locked or linked.

Each folder is opened from the one above it and no link is followed, so what is swapped meanwhile
leads nowhere else. Nothing here calls itself, and a few descriptors are open at a time: folders a
thousand deep, or with names longer than a path may be, are as good as any.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
UNFINISHED: Final = "there was too much for one time"
_REMOVE_WITHIN_S: Final = 60.0
_MOST_ENTRIES: Final = 200_000  # of a measurement, which is asked for every few seconds


def remove(path: Path, *, within_s: float = _REMOVE_WITHIN_S) -> str:
    """Remove ``path`` and all below it; give why something is left, empty where nothing is.

    What can't be removed (immutable, of a disk that fails) stays; all that can be goes. What is
    left when the time is over stays as well, for a later call, and is told as `UNFINISHED`.
    """
    removal = _Removal(time.monotonic() + within_s)
    try:
        above = os.open(path.parent, _FOLDER)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return _told(error)
    try:
        removal.entry(above, path.name)
    finally:
        os.close(above)
    return removal.left


@dataclass
class _Removal:
    ends_at: float
    left: str = ""
    _names: Iterator[int] = field(default_factory=count)

    def entry(self, above: int, name: str) -> None:
        try:
            if not _is_folder(above, name):
                os.unlink(name, dir_fd=above)
                return
            with _opened(above, name) as folder:
                while self._flatten(folder):
                    """Until there is nothing more to do below it"""
            os.rmdir(name, dir_fd=above)
            self.left = ""
        except FileNotFoundError:
            self.left = ""
        except OSError as error:
            self.left = self.left or _told(error)

    def _flatten(self, top: int) -> bool:
        """Remove what is in ``top``, and bring the folders of its folders up to where they were.

        Tells whether anything was done. Each time all is one level nearer, so the depth costs
        renames, and neither a stack nor descriptors.
        """
        done = False
        for name in _names_in(top):
            if time.monotonic() > self.ends_at:
                self.left = self.left or UNFINISHED
                return False
            try:
                done |= self._one(top, name)
            except FileNotFoundError:
                continue
            except OSError as error:
                self.left = _told(error)
        return done

    def _one(self, top: int, name: str) -> bool:
        if not _is_folder(top, name):
            os.unlink(name, dir_fd=top)
            return True
        done = False
        with _opened(top, name) as folder:
            for inner in _names_in(folder):
                if time.monotonic() > self.ends_at:
                    self.left = self.left or UNFINISHED
                    return done
                try:
                    if _is_folder(folder, inner):
                        _unlock(folder, inner)  # to be moved it must let itself be written
                        os.rename(inner, self._free(top), src_dir_fd=folder, dst_dir_fd=top)
                    else:
                        os.unlink(inner, dir_fd=folder)
                    done = True
                except FileNotFoundError:
                    continue
                except OSError as error:
                    self.left = _told(error)
        try:
            os.rmdir(name, dir_fd=top)
        except OSError as error:
            self.left = self.left or _told(error)
            return done
        return True

    def _free(self, folder: int) -> str:
        while True:  # ends: there are fewer entries than numbers
            name = f".removed-{next(self._names)}"
            try:
                os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                return name


def used_bytes(path: Path) -> int:
    """What the files below ``path`` take here; takes no offence where it goes meanwhile.

    A file with other links, as an input that is a stored file has, takes nothing. Of a folder with
    very many entries it is a part only.
    """
    walk = _Walk()
    try:
        with suppress(OSError):  # it is being removed, or moved about
            walk.down(os.open(path, _FOLDER))
            while walk.levels and walk.seen < _MOST_ENTRIES:
                walk.step()
    finally:
        walk.close()
    return walk.used


@dataclass
class _Level:
    folder: tuple[int, int]
    below: list[str]


@dataclass
class _Walk:
    """Where a measurement is: one open folder, and above it what is still to be looked at."""

    here: int = -1
    levels: list[_Level] = field(default_factory=list)
    used: int = 0
    seen: int = 0

    def step(self) -> None:
        level = self.levels[-1]
        if level.below:
            name = level.below.pop()
            try:
                self.down(os.open(name, _FOLDER, dir_fd=self.here))
            except (FileNotFoundError, PermissionError):
                return
        else:
            self._up()

    def down(self, folder: int) -> None:
        self._go(folder)
        level = _Level(_identity(folder), [])
        self.levels.append(level)
        with os.scandir(folder) as entries:
            for entry in entries:
                self.seen += 1
                if self.seen > _MOST_ENTRIES:
                    return
                if entry.is_dir(follow_symlinks=False):
                    level.below.append(entry.name)
                else:
                    with suppress(FileNotFoundError):
                        file = entry.stat(follow_symlinks=False)
                        self.used += file.st_size if file.st_nlink == 1 else 0

    def _up(self) -> None:
        self.levels.pop()
        if self.levels:
            self._go(os.open("..", _FOLDER, dir_fd=self.here))
            if _identity(self.here) != self.levels[-1].folder:
                raise FileNotFoundError  # it was moved: what is above it now is another's

    def _go(self, folder: int) -> None:
        self.close()
        self.here = folder

    def close(self) -> None:
        if self.here >= 0:
            os.close(self.here)
            self.here = -1


def _identity(folder: int) -> tuple[int, int]:
    seen = os.fstat(folder)
    return seen.st_dev, seen.st_ino


def _names_in(folder: int) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _is_folder(above: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)


@contextmanager
def _opened(above: int, name: str) -> Iterator[int]:
    _unlock(above, name)
    folder = os.open(name, _FOLDER, dir_fd=above)
    try:
        yield folder
    finally:
        os.close(folder)


def _unlock(above: int, name: str) -> None:
    """Let the owner into a folder that was made, or left, with no rights at all."""
    folder = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    try:
        if os.fstat(folder).st_mode & stat.S_IRWXU != stat.S_IRWXU:
            # By its descriptor: a name could be a link by now, and chmod would follow it.
            Path(f"/proc/self/fd/{folder}").chmod(stat.S_IRWXU)
    finally:
        os.close(folder)


def _told(error: OSError) -> str:
    return f"{type(error).__name__}: {error.strerror}"
