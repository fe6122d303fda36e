from __future__ import annotations

from django.db import models

from ffapi_site.lib.web_addresses import LONGEST_URL
from media_jobs.models.job import Job
from storage.models import File


class JobInput(models.Model):
    """A medium that the job reads: a URL, or a file, whose id is still told when it is gone."""

    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="inputs", db_index=False
    )  # `input_role_once` begins with it
    role = models.CharField(max_length=64)
    url = models.CharField(max_length=LONGEST_URL, blank=True)
    file = models.ForeignKey(
        File, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="read_by"
    )

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "role"], name="input_role_once")]

    def __str__(self) -> str:
        return f"{self.role} of {self.job_id}"


class JobOutput(models.Model):
    """A file that the job made; it exists only for completed jobs."""

    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="outputs", db_index=False
    )  # `output_once` begins with it
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=64)
    file = models.OneToOneField(File, on_delete=models.CASCADE, related_name="made_by")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="output_once")]

    def __str__(self) -> str:
        return f"{self.role} of {self.job_id}"
