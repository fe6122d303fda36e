"""Which tests of a run stay together, and which go side by side.

The tests of a folder that shares a live site stay in one process, which starts the site and gives
it back: they wait more than they compute. All others compute: one process has them from the start.
pytest-xdist's own groups stand in the node ids that pytest had before version 9.2.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_TOGETHER = {"attacks", "browser", "serving", "system"}
_SITES_AT_ONCE = 2


class ByPlace(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        return folder if folder in _TOGETHER else nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        with_site = [scope for scope in self.workqueue if scope in _TOGETHER]
        alone = next((scope for scope in self.workqueue if scope not in _TOGETHER), None)
        if with_site and (alone is None or self._sites_of_others(node) < _SITES_AT_ONCE):
            chosen = with_site[0]
        else:
            chosen = alone or with_site[0]
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)

    def _sites_of_others(self, node: WorkerController) -> int:
        """How many other processes are at work on the tests of a live site."""
        return sum(
            any(scope in _TOGETHER and not all(tests.values()) for scope, tests in work.items())
            for other, work in self.assigned_work.items()
            if other is not node
        )
