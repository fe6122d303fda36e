from __future__ import annotations

from django.urls import path

from media_jobs.pages import (
    dashboard,
    job_actions,
    job_detail,
    job_list,
    new_job,
    operation_catalogue,
)

urlpatterns = [
    path("", dashboard.Dashboard.as_view(), name="dashboard"),
    path("jobs", job_list.JobList.as_view(), name="jobs"),
    path("jobs/<slug:job_id>", job_detail.JobPage.as_view(), name="job"),
    path("jobs/<slug:job_id>/live", job_detail.JobFragment.as_view(), name="job_fragment"),
    path("jobs/<slug:job_id>/log", job_detail.JobLog.as_view(), name="job_log"),
    path("jobs/<slug:job_id>/cancel", job_actions.CancelJob.as_view(), name="cancel_job"),
    path("jobs/<slug:job_id>/retry", job_actions.RetryJob.as_view(), name="retry_job"),
    path("jobs/<slug:job_id>/delete", job_actions.DeleteJob.as_view(), name="delete_job"),
    path("operations", operation_catalogue.OperationCatalogue.as_view(), name="operations"),
    path("operations/<path:operation>/new", new_job.NewJob.as_view(), name="new_job"),
    path("compose/<slug:kind>", new_job.Compose.as_view(), name="compose"),
]
