from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from factory.declarations import (
    Dict,
    LazyAttribute,
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory

from media_jobs import events
from media_jobs.models import (
    DeviceHealth,
    FairShare,
    Job,
    JobAttempt,
    JobEvent,
    JobInput,
    JobOutput,
    JobStep,
    MaintenanceChore,
    PausedLane,
    Slot,
    Status,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.factories.accounts import TenantFactory
from tests.factories.storage import FileFactory


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


class JobInputFactory(DjangoModelFactory[JobInput]):
    """A medium by its URL; ``file=`` or ``file_id=`` make it a file."""

    class Meta:
        model = JobInput

    job = SubFactory(JobFactory)
    role = "input"
    url = LazyAttribute(lambda made: "" if _has_file(made) else "https://example.org/a.mp4")


def _has_file(made: Any) -> bool:
    return hasattr(made, "file") or hasattr(made, "file_id")


class JobOutputFactory(DjangoModelFactory[JobOutput]):
    """The next output of its job."""

    class Meta:
        model = JobOutput

    job = SubFactory(JobFactory, completed=True)
    position = LazyAttribute(lambda made: made.job.outputs.count())
    role = "result"
    file = SubFactory(FileFactory, tenant=SelfAttribute("..job.tenant"))


class JobAttemptFactory(DjangoModelFactory[JobAttempt]):
    """The next attempt at its job."""

    class Meta:
        model = JobAttempt

    job = SubFactory(JobFactory, running=True)
    number = LazyAttribute(lambda made: made.job.attempts.count() + 1)
    slot = "slot"


class JobStepFactory(DjangoModelFactory[JobStep]):
    """The next step of its job, that has measured nothing."""

    class Meta:
        model = JobStep

    job = SubFactory(JobFactory, running=True)
    position = LazyAttribute(lambda made: made.job.steps.count())
    answer = Dict({})
    attempt = 1


class JobEventFactory(DjangoModelFactory[JobEvent]):
    """That the job has the status it has; who is told of such an event is told of this one."""

    class Meta:
        model = JobEvent

    job = SubFactory(JobFactory, running=True)
    before = Status.QUEUED
    reason = "claimed"
    usage = Dict({})

    @classmethod
    def _create(cls, model_class: type[JobEvent], *_args: Any, **fields: Any) -> JobEvent:
        job = fields.pop("job")
        events.append(job, **fields)
        return model_class.objects.filter(job=job).latest("id")


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    """An event of a job, due now; ``of_quota=True`` makes it one of its tenant's quota."""

    class Meta:
        model = WebhookDelivery

    class Params:
        of_quota = Trait(job=None, tenant=SubFactory(TenantFactory), event="quota.warning")

    job = SubFactory(JobFactory, completed=True)
    tenant = SelfAttribute("job.tenant")
    url = "https://example.org/hook"
    event = "job.completed"


class WebhookEndpointFactory(DjangoModelFactory[WebhookEndpoint]):
    class Meta:
        model = WebhookEndpoint

    tenant = SubFactory(TenantFactory)
    origin = Sequence(lambda n: f"receiver-{n}.example")


class SlotFactory(DjangoModelFactory[Slot]):
    """A slot that is alive."""

    class Meta:
        model = Slot

    name = Sequence(lambda n: f"slot-{n}")
    lane = "cpu"
    pid = Sequence(lambda n: n + 1)


class PausedLaneFactory(DjangoModelFactory[PausedLane]):
    class Meta:
        model = PausedLane

    lane = Sequence(lambda n: f"lane-{n}")


class DeviceHealthFactory(DjangoModelFactory[DeviceHealth]):
    class Meta:
        model = DeviceHealth

    host = Sequence(lambda n: f"host-{n}")
    device = "nvidia"


class FairShareFactory(DjangoModelFactory[FairShare]):
    class Meta:
        model = FairShare

    tenant = SubFactory(TenantFactory)


class MaintenanceChoreFactory(DjangoModelFactory[MaintenanceChore]):
    """One that was done a moment ago."""

    class Meta:
        model = MaintenanceChore

    name = Sequence(lambda n: f"chore {n}")
    every_s = 60.0
    host = "host"
    began_at = LazyFunction(timezone.now)
    took_s = 0.1
    succeeded_at = LazyFunction(timezone.now)
