"""What the site waits for and does not get, or gets late."""

from __future__ import annotations

import psutil

from chaos import processes
from chaos.scene import Done, Fault, NothingToHit, Scene
from chaos.withheld import Withheld

_COMMITS = 3
_FLUSH_S = 40
_HELPER_S = 11


def _of(scene: Scene) -> Withheld:
    if scene.ground.withheld is None:
        raise NothingToHit
    return scene.ground.withheld


def swallow_commit(scene: Scene) -> Done:
    """R26: COMMITs are done and their answers are lost, whosever comes next."""
    _of(scene).swallow_commits(_COMMITS)
    return Done(f"the next {_COMMITS}")


def slow_flush(scene: Scene) -> Done:
    """R32: the disk takes far longer than a lease for the next output."""
    _of(scene).slow_next_flush(_FLUSH_S)
    return Done(f"{_FLUSH_S} s")


def stop_helper(scene: Scene) -> Done:
    """R27: what forks FFmpeg for a worker or a web process stands still, and then goes on."""
    # They have none of the site's environment, by which its processes are found.
    below = [each for own in scene.ground.server.processes() for each in processes.children(own)]
    helper = scene.one_of([each for each in below if _helps(each)])
    return scene.freeze([helper], _HELPER_S)


def _helps(process: psutil.Process) -> bool:
    try:
        return any(word.endswith("launcher.py") for word in process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


FAULTS: tuple[Fault, ...] = (swallow_commit, slow_flush, stop_helper)
