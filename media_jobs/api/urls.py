from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from media_jobs.api import jobs
from media_jobs.api.operations import Catalogue, OneOperation
from media_jobs.api.probe import Probe
from media_jobs.operations.core import REGISTRY

# Those that answer at once instead of making a job.
_AT_ONCE: dict[str, Any] = {"probe": Probe}


def _flat(name: str) -> URLPattern:
    """An operation's own address: a class of its own, so that OpenAPI can describe each."""
    view = _AT_ONCE.get(name) or jobs.running(REGISTRY[name])
    return path(REGISTRY[name].path, view.as_view(), name=f"api-run-{name}")


urlpatterns = [
    path("jobs", jobs.Jobs.as_view(), name="api-jobs"),
    path("jobs/<str:job_id>", jobs.OneJob.as_view(), name="api-job"),
    path("jobs/<str:job_id>/log", jobs.JobLog.as_view(), name="api-job-log"),
    path("jobs/<str:job_id>/events", jobs.JobEvents.as_view(), name="api-job-events"),
    path("jobs/<str:job_id>/cancel", jobs.CancelJob.as_view(), name="api-job-cancel"),
    path("jobs/<str:job_id>/retry", jobs.RetryJob.as_view(), name="api-job-retry"),
    path("operations", Catalogue.as_view(), name="api-operations"),
    path("operations/<path:name>", OneOperation.as_view(), name="api-operation"),
    *(_flat(name) for name in sorted(REGISTRY)),
]
