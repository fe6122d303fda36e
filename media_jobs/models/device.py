from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from ffapi_site.lib.environment import LONGEST_HOST_NAME


class DeviceHealth(models.Model):
    """How a device of a host behaves: after failures in a row it is left alone for a while.

    ``failures`` counts those in a row; ``open_until`` is when one job may try the device again;
    ``fallbacks`` counts, for ever, the jobs that the CPU did in its place.
    """

    host = models.CharField(max_length=LONGEST_HOST_NAME)
    device = models.CharField(max_length=16)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    fallbacks = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["host", "device"]
        verbose_name_plural = "device health"
        constraints = [
            models.UniqueConstraint(fields=["host", "device"], name="device_of_host"),
        ]

    def __str__(self) -> str:
        return f"{self.device} of {self.host}"
