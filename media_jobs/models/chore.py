from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import models

from ffapi_site.lib.environment import LONGEST_HOST_NAME

_LATE_AFTER: Final = timedelta(minutes=5)


class MaintenanceChore(models.Model):
    """What came of a chore of the installation the last time, on whichever host it was done."""

    name = models.CharField(max_length=64, primary_key=True)
    every_s = models.FloatField()
    host = models.CharField(max_length=LONGEST_HOST_NAME)
    began_at = models.DateTimeField()
    took_s = models.FloatField()
    succeeded_at = models.DateTimeField(null=True)
    """When it was last done without trouble."""
    failures = models.PositiveIntegerField(default=0)
    """In a row."""
    trouble = models.CharField(max_length=100, blank=True, default="")
    """The name of the error of the last time; empty where there was none."""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def is_late(self, now: datetime) -> bool:
        """Whether it was not done for ten of its intervals, and five minutes at least."""
        return self.began_at < now - max(timedelta(seconds=10 * self.every_s), _LATE_AFTER)
