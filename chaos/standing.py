"""What stands still for good, and what can't be removed: nobody but the site mends it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from chaos import processes
from chaos.ground import LEASE_S
from chaos.scene import Done, Fault, NothingToHit, Scene

_LEVELS = 1200
_IMMUTABLE_S = 8.0
_LONG_AGO_S = 3600


def stop_worker(scene: Scene) -> Done:
    """R29: a worker stands still, with its FFmpeg or without, and nobody wakes it."""
    return scene.stop(processes.workers(scene.ground))


def stop_beside_worker(scene: Scene) -> Done:
    """R29: any process of a slot stands still for good, idle or busy."""
    return scene.stop(processes.below_sentinels(scene.ground))


def stop_sentinel(scene: Scene) -> Done:
    """R29: so does django-q2's own guard."""
    return scene.stop(processes.sentinels(scene.ground))


def stop_guard(scene: Scene) -> Done:
    """R30: who watches over a slot stands still for good."""
    return scene.stop(processes.guards(scene.ground))


def stop_maintenance(scene: Scene) -> Done:
    """R35: who does the chores stands still for good."""
    return scene.stop(processes.maintenance(scene.ground))


def freeze_slot(scene: Scene) -> Done:
    """R10: a whole slot stands still past its lease, as with its machine, and then goes on."""
    guard = scene.one_of(processes.guards(scene.ground))
    return scene.freeze([guard, *guard.children(recursive=True)], LEASE_S + 8)


def leave_deep_folder(scene: Scene) -> Done:
    """R31: an attempt left folders within folders, more than a program may call itself."""
    name = f"job_deep{scene.chance.randrange(10**9)}.1"
    (scene.ground.scratch / name).mkdir()
    here = os.open(scene.ground.scratch / name, os.O_RDONLY)
    try:
        for _ in range(_LEVELS):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    return Done(name)


def leave_immutable_file(scene: Scene) -> Done:
    """R31: an upload's remains that not even root can remove, for a while, as on a bad disk."""
    number = scene.chance.randrange(10**9)
    left = [
        scene.ground.folder / "uploads" / f"upload_{number}.part",
        scene.ground.scratch / f"job_stuck{number}.1" / "out" / "file",
    ]
    stuck = [path for path in left if _is_made_immutable(path)]
    if not stuck:
        raise NothingToHit
    return Done(f"{len(stuck)} files", _IMMUTABLE_S, lambda: _let_go(stuck))


def _is_made_immutable(path: Path) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time.time() - _LONG_AGO_S,) * 2)
    return subprocess.run(["chattr", "+i", path], check=False, capture_output=True).returncode == 0


def _let_go(stuck: list[Path]) -> None:
    for path in stuck:
        # In its folder or in whatever it was moved to.
        for each in [path, *path.parent.parent.rglob(path.name)]:
            subprocess.run(["chattr", "-i", each], check=False, capture_output=True)


FAULTS: tuple[Fault, ...] = (
    stop_worker,
    stop_beside_worker,
    stop_sentinel,
    stop_guard,
    stop_maintenance,
    freeze_slot,
    leave_deep_folder,
    leave_immutable_file,
)
