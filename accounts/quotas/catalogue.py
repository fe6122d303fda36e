"""The limits that there are: their names, what they count in, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Window = Literal["", "hour", "day", "month"]

CONCURRENT_JOBS = "max_concurrent_jobs"
QUEUED_JOBS = "max_queued_jobs"
JOBS_PER_HOUR = "max_jobs_per_hour"
JOBS_PER_DAY = "max_jobs_per_day"
CPU_PER_MONTH = "max_cpu_seconds_per_month"
STORAGE = "max_storage_mb"
FILE_SIZE = "max_file_size_mb"
JOB_DURATION = "max_job_duration_sec"
RESOLUTION = "max_resolution"
FRAME_RATE = "max_frame_rate"

LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Quota:
    """``scale`` is how many of what a counter counts make one of the limit's unit."""

    name: str
    title: str
    unit: str
    window: Window = ""
    scale: int = 1
    is_counted: bool = False
    """Whether it has a counter; the others bound one job or file, or what runs at once."""
    is_for_keys: bool = True
    is_of_each: bool = False
    """Whether it bounds each job or file by itself, so that nothing of it is used up."""


_ALL = (
    Quota(CONCURRENT_JOBS, "Jobs running at once", "jobs"),
    Quota(QUEUED_JOBS, "Jobs waiting at once", "jobs", is_for_keys=False),
    Quota(JOBS_PER_HOUR, "Jobs this hour", "jobs", "hour", is_counted=True),
    Quota(JOBS_PER_DAY, "Jobs today", "jobs", "day", is_counted=True),
    Quota(CPU_PER_MONTH, "CPU time this month", "seconds", "month", 1000, is_counted=True),
    Quota(STORAGE, "Stored files and jobs", "MiB", scale=1 << 20, is_counted=True),
    Quota(FILE_SIZE, "Size of a file", "MiB", scale=1 << 20, is_of_each=True),
    Quota(JOB_DURATION, "Length of a job's media", "seconds", is_of_each=True),
    Quota(RESOLUTION, "Height of a picture", "lines", is_of_each=True),
    Quota(FRAME_RATE, "Frame rate", "frames a second", is_of_each=True),
)
QUOTAS = {each.name: each for each in _ALL}
COUNTED = tuple(each for each in _ALL if each.is_counted)
