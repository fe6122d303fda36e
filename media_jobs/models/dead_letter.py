from __future__ import annotations

from django.db import models

from media_jobs.models.job import Job, JobQuerySet


class DeadLetterManager(models.Manager["DeadLetter"]):
    def get_queryset(self) -> models.QuerySet[DeadLetter]:
        return super().get_queryset().filter(quarantined_at__isnull=False)


class DeadLetter(Job):
    """A job that killed its workers, until staff have looked at it."""

    objects = DeadLetterManager()  # type: ignore[assignment,misc]  # narrower than a job's
    jobs = JobQuerySet.as_manager()

    class Meta:
        proxy = True
        ordering = ["-quarantined_at"]
