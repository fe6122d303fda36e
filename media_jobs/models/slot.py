from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

from ffapi_site.lib.environment import LONGEST_HOST_NAME

# A slot that has not told of itself for so long is taken to be down.
SILENT = timedelta(seconds=15)


class SlotQuerySet(models.QuerySet["Slot"]):
    def alive(self, within: timedelta = SILENT) -> Self:
        return self.filter(heartbeat_at__gt=Now() - within)

    def working(self) -> Self:
        """Those that are alive and of which nothing stands still."""
        return self.alive().filter(hung="")

    def builds(self) -> list[dict[str, str]]:
        """Their FFmpegs that are used, each once."""
        found: list[dict[str, str]] = []
        for told in self.values_list("capabilities", flat=True):
            for build in told.get("builds", []):
                shown = {name: value for name, value in build.items() if name != "reason"}
                if not build["reason"] and shown not in found:
                    found.append(shown)
        return found


class Slot(models.Model):
    """A place where one job at a time runs: one cluster of one worker, on one host."""

    name = models.CharField(max_length=100, primary_key=True)
    lane = models.CharField(max_length=16)
    host = models.CharField(max_length=LONGEST_HOST_NAME, blank=True)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())
    memory_mb = models.PositiveIntegerField(default=0)
    """What all the jobs of its host may take together."""
    scratch_mb = models.PositiveIntegerField(default=0)
    """Likewise on its scratch disk, as of the last heartbeat."""
    sandbox = models.JSONField(default=dict)
    capabilities = models.JSONField(default=dict)
    devices = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    """What the GPUs of its host can do: for each kind ``available`` and ``reason``."""
    hung = models.CharField(max_length=100, blank=True, default="", db_default="")
    """What of it stands still, as its guard sees it; empty where nothing does."""
    troubles = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    """The chores of its guard that fail, each with the error's name."""

    objects = SlotQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
