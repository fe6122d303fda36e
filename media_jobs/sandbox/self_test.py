"""The sandbox tried from inside, in every way that it claims to block."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from media_jobs.sandbox import allowed_paths, layers
from media_jobs.sandbox.allowed_paths import Private
from media_jobs.sandbox.canaries import canaries_up
from media_jobs.sandbox.launch_spec import Limits
from media_jobs.sandbox.layers import Probe, SandboxUnavailable
from media_jobs.sandbox.program import finish, prepare
from media_jobs.sandbox.spawn import Script, Start, spawn

_HERE: Final = Path(__file__).parent
_PROBE: Final = Script(_HERE / "escape_probe.py", needs=_HERE.parent)
_SELFTEST_S: Final = 20.0


def selftest(folder: Path, neighbour: Path) -> list[Probe]:
    """Try to escape from inside the sandbox, in every way that it claims to block.

    ``neighbour`` is the folder of another job, under the same user. Tried are also the places in
    which this installation really keeps its data.
    """
    allowed_paths.look_again()
    layers.require()
    prepare(folder)
    prepare(neighbour)
    limits = Limits(wall_s=_SELFTEST_S)
    private = [*allowed_paths.kept(), Private("other_job", neighbour / "out")]
    with canaries_up(private) as canaries:
        told, seen = [json.dumps(canaries.told)], allowed_paths.places(sys.executable, ())
        inherited = (canaries.descriptor,)
        process = spawn(Start(_PROBE, told, folder, limits, seen, inherited=inherited))
        finished = finish(process)
        reached = canaries.were_reached()
    *lines, last = finished.stdout.decode().splitlines() or [""]
    if last != '"end"':
        raise SandboxUnavailable(f"the self-test did not finish: {finished.stderr}")
    found = [json.loads(line) for line in lines]
    tried = [Probe(name, blocked=blocked) for name, blocked in found]
    return [*tried, Probe("reach_a_canary", blocked=not reached)]
