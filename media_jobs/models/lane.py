from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class PausedLane(models.Model):
    """A lane whose slots take no jobs until the row is gone; what runs there goes on."""

    lane = models.CharField(max_length=16, primary_key=True)
    since = models.DateTimeField(db_default=Now())
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.lane
