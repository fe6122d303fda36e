"""Which tests of a run stay together: those of a folder that shares a live site.

pytest-xdist's own groups stand in the node ids that pytest had before version 9.2.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Their sites are started once, by the one process that gets them, and given back at the end.
_TOGETHER = {"attacks", "browser", "serving", "system"}


class ByPlace(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        return folder if folder in _TOGETHER else nodeid
