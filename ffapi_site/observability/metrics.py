"""``/metrics``: the web server's counters of this host, and the jobs as the database has them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ffapi_site.lib import scope
from ffapi_site.lib.ops_auth import is_operator
from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import Unauthenticated
from media_jobs.models import DeviceHealth, Job, MaintenanceChore, Slot, Status


class JobsCollector(Collector):
    """Asked at each scrape: every process tells the same, however many there are."""

    def collect(self) -> Iterator[Metric]:
        yield self._jobs()
        yield from self._queue()
        yield self._slots()
        yield self._fallbacks()
        yield from self._chores()

    def _jobs(self) -> GaugeMetricFamily:
        jobs = GaugeMetricFamily("ffapi_jobs", "Jobs kept", labels=["status", "lane"])
        counted = Job.objects.order_by().values_list("status", "lane").annotate(Count("pk"))
        found = {(status, lane): count for status, lane, count in counted}
        for status in Status.values:
            for lane in settings.KNOWN_LANES:
                jobs.add_metric([status, lane], found.get((status, lane), 0))
        return jobs

    def _queue(self) -> Iterator[GaugeMetricFamily]:
        depth = GaugeMetricFamily("ffapi_queue_depth", "Jobs that are due", labels=["lane"])
        age = GaugeMetricFamily(
            "ffapi_queue_oldest_seconds", "How long the oldest due job waits", labels=["lane"]
        )
        due = Job.objects.filter(status=Status.QUEUED, run_at__lte=Now()).order_by()
        counted = due.values_list("lane").annotate(Count("pk"), Min("run_at"))
        found = {lane: (count, oldest) for lane, count, oldest in counted}
        for lane in settings.KNOWN_LANES:
            count, oldest = found.get(lane, (0, None))
            waited_s = (timezone.now() - oldest).total_seconds() if oldest else 0.0
            depth.add_metric([lane], count)
            age.add_metric([lane], max(0.0, waited_s))
        return iter((depth, age))

    def _slots(self) -> GaugeMetricFamily:
        slots = GaugeMetricFamily("ffapi_slots_alive", "Slots that go on", labels=["lane"])
        counted = dict(Slot.objects.working().order_by().values_list("lane").annotate(Count("pk")))
        for lane in settings.KNOWN_LANES:
            slots.add_metric([lane], counted.get(lane, 0))
        return slots

    def _chores(self) -> Iterator[GaugeMetricFamily]:
        done = GaugeMetricFamily(
            "ffapi_chore_last_success_timestamp_seconds",
            "When a chore of the installation was last done without trouble",
            labels=["chore"],
        )
        failures = GaugeMetricFamily(
            "ffapi_chore_failures", "How often it has failed in a row", labels=["chore"]
        )
        for chore in MaintenanceChore.objects.all():
            if chore.succeeded_at:
                done.add_metric([chore.name], chore.succeeded_at.timestamp())
            failures.add_metric([chore.name], chore.failures)
        return iter((done, failures))

    def _fallbacks(self) -> CounterMetricFamily:
        fallbacks = CounterMetricFamily(
            "ffapi_gpu_fallbacks", "Jobs that the CPU did for a GPU", labels=["host", "device"]
        )
        for host, device, count in DeviceHealth.objects.values_list("host", "device", "fallbacks"):
            fallbacks.add_metric([host, device], count)
        return fallbacks


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For everybody, or for the holders of ``OPS_TOKEN`` and staff where there is one."""
    if settings.OPS_TOKEN and not is_operator(request):
        return problem_response(request, Unauthenticated("this is for staff, or for the ops token"))
    jobs, processes = CollectorRegistry(), REGISTRY
    jobs.register(JobsCollector())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        processes = CollectorRegistry()
        MultiProcessCollector(processes)  # type: ignore[no-untyped-call]
    with scope.within(scope.EVERY_TENANT):
        content = generate_latest(processes) + generate_latest(jobs)
    return HttpResponse(content, content_type=CONTENT_TYPE_LATEST)
