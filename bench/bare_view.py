from __future__ import annotations

from typing import Any

from rest_framework.generics import CreateAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer

from accounts.models import Tenant
from ffapi_site.lib import scope
from media_jobs.models import Job


class JobRow(ModelSerializer[Job]):
    class Meta:
        model = Job
        fields = ("id", "tenant", "operation", "params")
        read_only_fields = ("id",)


class BareInsert(CreateAPIView[Job]):
    """What DRF gives in ten lines: a view that checks three fields and inserts a job's row."""

    authentication_classes = ()
    permission_classes = ()
    queryset = Job.objects.all()
    serializer_class = JobRow

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        scope.enter(scope.EVERY_TENANT)
        return super().create(request, *args, **kwargs)


def any_tenant() -> str:
    return str(Tenant.objects.values_list("id", flat=True)[0])
