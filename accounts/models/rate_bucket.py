from __future__ import annotations

from django.db import models


class RateBucket(models.Model):
    """The requests that a subject may still send, as tokens that come back evenly.

    The table is unlogged: a count that is lost in a crash costs nothing, and counting never waits
    for the disk.
    """

    subject = models.CharField(max_length=100, primary_key=True)
    tokens = models.FloatField()
    counted_at = models.DateTimeField()
    is_granted = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.subject}: {self.tokens:.1f}"
