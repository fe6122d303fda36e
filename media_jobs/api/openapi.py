"""What the OpenAPI description says of jobs in several places."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from ffapi_site.lib.openapi import query_parameter
from media_jobs.api.job_schemas import JobBody
from media_jobs.models import Status

PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N`: answer when the job has ended, but after N seconds (at most 60) anyway.",
)
JOB_MADE: dict[int, Any] = {
    200: OpenApiResponse(JobBody, "The job, ended within the time that `Prefer: wait=N` gave it"),
    202: OpenApiResponse(JobBody, "The job, at the address that `Location` names"),
}
QUERY = [
    query_parameter("status", "Only jobs of this status", enum=Status.values),
    query_parameter("operation", "Only jobs of this operation"),
    query_parameter("created_after", "Made later than this", OpenApiTypes.DATETIME),
    query_parameter("created_before", "Made earlier than this", OpenApiTypes.DATETIME),
    query_parameter("tag", "Jobs with this tag"),
    query_parameter("api_key", "Jobs submitted with this key (its id)"),
    query_parameter(
        "search",
        "A whole id; or a part of it, or of an input's address or name, in the newest 50,000 "
        "that the other filters leave",
    ),
]
