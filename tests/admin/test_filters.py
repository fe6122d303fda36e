"""Filters of long lists."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import JobFactory, WebhookDeliveryFactory
from tests.harness.cast import Cast


@pytest.mark.parametrize(
    ("model", "chosen"),
    [
        ("accounts_auditrecord", {"outcome": "denied"}),
        ("accounts_auditrecord", {"actor_type": "staff", "event_type": "job.ended"}),
        ("accounts_auditcheckpoint", {"kind": "cut"}),
        ("media_jobs_webhookdelivery", {"event": "job.failed"}),
        ("media_jobs_job", {"lane": "gpu", "operation": "transcode"}),
    ],
)
def test_no_table_is_read_for_what_may_be_chosen(
    root: Client, cast: Cast, model: str, chosen: dict[str, str]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        page = root.get(reverse(f"admin:{model}_changelist"), chosen)
    assert page.status_code == 200
    assert not [each["sql"] for each in captured if "DISTINCT" in each["sql"]]


def test_a_choice_narrows_the_list(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, failed=True)
    for event in ("job.failed", "job.completed"):
        WebhookDeliveryFactory.create(job=job, event=event)
    url = reverse("admin:media_jobs_webhookdelivery_changelist")
    page = root.get(url, {"event": "job.failed"})
    assert [each.event for each in page.context["cl"].result_list] == ["job.failed"]
