from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from media_jobs.admin.charts import HEIGHT, Chart, Series
from media_jobs.models import Job
from tests.factories import JobFactory
from tests.harness.cast import Cast


@pytest.fixture(autouse=True)
def _fresh_figures() -> None:
    cache.clear()


def shown(client: Client, title: str) -> str:
    """What a chart says in words."""
    page = client.get("/admin/").content.decode()
    found = re.search(rf'aria-label="({title}[^"]*)"', page)
    return found[1] if found else ""


def test_it_works(root: Client, cast: Cast) -> None:
    JobFactory.create_batch(3, tenant=cast.tenant, completed=True, usage={"cpu_seconds": 2.5})
    JobFactory.create(tenant=cast.tenant, failed=True, usage={"cpu_seconds": 12.5})
    page = root.get("/admin/").content.decode()
    assert "<svg" in page
    cache.clear()
    told = shown(root, "Jobs ended in 24 hours")
    assert told.endswith("completed 3, failed 1, canceled 0; at most 4 at once")
    assert shown(root, "Failures in 14 days").endswith("failed 1; at most 1 at once")
    assert shown(root, "CPU seconds in 14 days").endswith("cpu 20; at most 20 at once")


def test_the_queue_is_counted_hour_by_hour(root: Client, cast: Cast) -> None:
    now = timezone.now()
    long_ago, lately = now - timedelta(hours=5), now - timedelta(hours=2)
    job = JobFactory.create(tenant=cast.tenant, completed=True)
    Job.objects.filter(pk=job.pk).update(run_at=long_ago, started_at=lately)
    assert "waiting 3;" in shown(root, "Jobs waiting in 24 hours")


def test_what_is_long_past_is_not_shown(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - timedelta(days=20))
    assert shown(root, "Failures in 14 days") == ""
    assert "Nothing in this time" in root.get("/admin/").content.decode()


def test_nothing_of_it_is_inline_script(root: Client, cast: Cast) -> None:
    page = root.get("/admin/").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)


def test_dead_letters_ask_for_attention(root: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant, failed=True, quarantined_at=timezone.now())
    page = root.get("/admin/").content.decode()
    assert re.search(r'class="ffapi-card asks">\s*<span[^>]*>Dead letters', page)


def test_bars_stand_on_each_other() -> None:
    chart = Chart("x", ["a", "b"], [Series("up", [1, 0]), Series("down", [3, 2])])
    low, high, alone = chart.bars
    assert (low.height, high.height) == (HEIGHT / 4, HEIGHT * 3 / 4)
    assert (low.y, high.y) == (HEIGHT * 3 / 4, 0)
    assert alone.height == HEIGHT / 2
