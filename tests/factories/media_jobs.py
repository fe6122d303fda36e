from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from factory.declarations import Dict, LazyFunction, SubFactory, Trait
from factory.django import DjangoModelFactory

from media_jobs.models import Job, Status
from tests.factories.accounts import TenantFactory


class JobFactory(DjangoModelFactory[Job]):
    """A queued job, as ``jobs.submit`` leaves one; without its token.

    ``running=True``, ``completed=True``, ``failed=True``, ``canceled=True`` make it one of those.
    """

    class Meta:
        model = Job

    class Params:
        running = Trait(
            status=Status.RUNNING,
            attempt=1,
            started_at=LazyFunction(timezone.now),
            lease_until=LazyFunction(lambda: timezone.now() + timedelta(minutes=1)),
        )
        completed = Trait(status=Status.COMPLETED, finished_at=LazyFunction(timezone.now))
        failed = Trait(status=Status.FAILED, finished_at=LazyFunction(timezone.now))
        canceled = Trait(status=Status.CANCELED, finished_at=LazyFunction(timezone.now))

    tenant = SubFactory(TenantFactory)
    operation = "transcode"
    params = Dict({"input": "https://example.org/a.mp4"})
