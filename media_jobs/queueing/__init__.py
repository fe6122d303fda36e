"""Where a queued job stands, why it waits, and when it will probably start."""

from __future__ import annotations

from media_jobs.queueing.place import Place, Reason, places

__all__ = ["Place", "Reason", "places"]
