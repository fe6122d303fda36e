from __future__ import annotations

import subprocess
import sys

from tests.harness.server import ROOT

_UNTIL_THE_FORK = """
import os, sys
import django
django.setup()
from media_jobs.slot import cluster, process

def fork(_):
    print("media_jobs.operations.video.trim" in sys.modules, flush=True)
    os._exit(0)

cluster.SlotCluster.start = fork
process.get_broker = lambda lane: object()
process.Guard.check = process.Guard._enter_group = lambda *_: None
process.Guard("cpu", 1).run()
"""


def test_the_operations_are_loaded_before_the_worker_is_forked() -> None:
    """Else the first job of each worker waits for all of them to be imported."""
    command = [sys.executable, "-c", _UNTIL_THE_FORK]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True\n"
