from __future__ import annotations

from media_jobs.models.attempt import JobAttempt, JobEvent, JobStep
from media_jobs.models.chore import MaintenanceChore
from media_jobs.models.dead_letter import DeadLetter
from media_jobs.models.device import DeviceHealth
from media_jobs.models.fair_share import FairShare
from media_jobs.models.job import Job, JobQuerySet, Priority, Status
from media_jobs.models.lane import PausedLane
from media_jobs.models.media import JobInput, JobOutput
from media_jobs.models.slot import Slot
from media_jobs.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = [
    "DeadLetter",
    "DeviceHealth",
    "FairShare",
    "Job",
    "JobAttempt",
    "JobEvent",
    "JobInput",
    "JobOutput",
    "JobQuerySet",
    "JobStep",
    "MaintenanceChore",
    "PausedLane",
    "Priority",
    "Slot",
    "Status",
    "WebhookDelivery",
    "WebhookEndpoint",
]
