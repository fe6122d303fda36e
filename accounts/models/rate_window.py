from __future__ import annotations

from django.db import models


class RateWindow(models.Model):
    """Requests of one subject within its running minute.

    The table is unlogged: a count that is lost in a crash costs nothing, and counting never waits
    for the disk.
    """

    subject = models.CharField(max_length=100, primary_key=True)
    started_at = models.DateTimeField()
    used = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.subject}: {self.used}"
