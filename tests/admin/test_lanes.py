from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditRecord
from media_jobs.models import PausedLane
from tests.admin.conftest import REASON
from tests.factories import JobFactory
from tests.harness.cast import Cast

_LIST = "admin:media_jobs_pausedlane_changelist"


def steer(client: Client, lane: str, verb: str, **form: str) -> int:
    url = reverse("admin:media_jobs_pausedlane_steer", args=[lane, verb])
    return client.post(url, form).status_code


def test_it_works(root: Client, cast: Cast) -> None:
    said = {"confirmed": "yes", "reason": REASON}
    assert steer(root, "cpu", "pause", **said) == 302
    assert PausedLane.objects.get().reason == REASON
    page = root.get(reverse(_LIST)).content.decode()
    assert REASON in page
    assert steer(root, "cpu", "resume", **said) == 302
    assert not PausedLane.objects.exists()
    events = AuditRecord.objects.order_by("id").values_list("event_type", "details__reason")
    assert list(events) == [("lane.paused", REASON), ("lane.resumed", REASON)]


def test_draining_tells_what_still_runs(root: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant, running=True)
    url = reverse("admin:media_jobs_pausedlane_steer", args=["cpu", "drain"])
    page = root.post(url, {"confirmed": "yes", "reason": REASON}, follow=True).content.decode()
    assert "once 1 running jobs have ended" in page
    assert AuditRecord.objects.get().event_type == "lane.drained"


def test_it_asks_first(root: Client, cast: Cast) -> None:
    assert steer(root, "cpu", "pause") == 200
    assert steer(root, "cpu", "pause", confirmed="yes", reason="") == 200
    assert not PausedLane.objects.exists()


@pytest.mark.parametrize(("lane", "verb"), [("moon", "pause"), ("cpu", "burn")])
def test_what_there_is_not_is_not_steered(root: Client, cast: Cast, lane: str, verb: str) -> None:
    assert steer(root, lane, verb, confirmed="yes", reason=REASON) == 404


def test_staff_without_the_right_don_t_steer(staff: Client) -> None:
    assert steer(staff, "cpu", "pause", confirmed="yes", reason=REASON) == 403
    assert staff.get(reverse(_LIST)).status_code == 403
