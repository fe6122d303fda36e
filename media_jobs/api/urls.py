from __future__ import annotations

from django.urls import path

from media_jobs.api import jobs
from media_jobs.api.operations import Catalogue, OneOperation
from media_jobs.api.run import view_of
from media_jobs.operations.core import REGISTRY

urlpatterns = [
    path("jobs", jobs.Jobs.as_view(), name="api-jobs"),
    path("jobs/<str:job_id>", jobs.OneJob.as_view(), name="api-job"),
    path("jobs/<str:job_id>/log", jobs.JobLog.as_view(), name="api-job-log"),
    path("jobs/<str:job_id>/events", jobs.JobEvents.as_view(), name="api-job-events"),
    path("jobs/<str:job_id>/cancel", jobs.CancelJob.as_view(), name="api-job-cancel"),
    path("jobs/<str:job_id>/retry", jobs.RetryJob.as_view(), name="api-job-retry"),
    path("operations", Catalogue.as_view(), name="api-operations"),
    path("operations/<path:name>", OneOperation.as_view(), name="api-operation"),
    *(
        path(REGISTRY[name].path, view_of(REGISTRY[name]).as_view(), name=f"api-run-{name}")
        for name in sorted(REGISTRY)
    ),
]
