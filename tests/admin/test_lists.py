"""Every list and every row's page: it opens, keeps secrets, and takes few queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.admin_site import site
from accounts.models import Membership
from media_jobs.models import (
    JobAttempt,
    PausedLane,
)
from tests.factories import (
    ApiKeyFactory,
    DeviceHealthFactory,
    FileFactory,
    JobAttemptFactory,
    JobFactory,
    JobInputFactory,
    JobOutputFactory,
    MembershipFactory,
    PausedLaneFactory,
    PlanFactory,
    SlotFactory,
    TenantFactory,
    UserFactory,
    WebhookDeliveryFactory,
)
from tests.harness.cast import Cast

get_resolver().url_patterns  # noqa: B018 -- the admin is loaded with the addresses
MODELS = list(site._registry)
assert MODELS


def furnish(number: int) -> None:
    """One of everything that lists show, of a tenant of its own."""
    tenant = TenantFactory.create(name=f"furnished-{number}")
    MembershipFactory.create(tenant=tenant, user=UserFactory.create(is_staff=True))
    key, file = ApiKeyFactory.create(tenant=tenant), FileFactory.create(tenant=tenant)
    job = JobFactory.create(tenant=tenant, api_key=key, failed=True, quarantined_at=timezone.now())
    JobInputFactory.create(job=job, file=file)
    JobOutputFactory.create(job=job, file=file)
    receipt = {"commands": [{"argv": ["ffmpeg", "-i", "a b"], "returncode": 0, "seconds": 1.5}]}
    JobAttemptFactory.create(job=job, receipt=receipt, log="it ran")
    WebhookDeliveryFactory.create(job=job, url="https://example.org/?secret=1")
    for each in (SlotFactory, PausedLaneFactory, DeviceHealthFactory, PlanFactory):
        each.create()


def view(model: Any, what: str, *args: str) -> str:
    meta = model._meta
    quoted = [quote(each) for each in args]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{what}", args=quoted)


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    with CaptureQueriesContext(connection) as captured:
        yield lambda: len(captured)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_it_works(root: Client, cast: Cast, model: Any) -> None:
    furnish(1)
    assert root.get(view(model, "changelist")).status_code == 200
    assert root.get(view(model, "changelist"), {"q": "x"}).status_code == 200
    if model is not PausedLane:
        row = model._default_manager.first()
        if row is not None:
            assert root.get(view(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_more_rows_take_no_more_queries(root: Client, cast: Cast, model: Any) -> None:
    furnish(1)
    root.get(view(model, "changelist"))
    with counted() as few:
        root.get(view(model, "changelist"))
    for number in range(2, 12):
        furnish(number)
    with counted() as many:
        root.get(view(model, "changelist"))
    assert many() <= few()


def test_a_job_s_page_tells_all_of_it(root: Client, cast: Cast) -> None:
    furnish(1)
    job = JobAttempt.objects.get().job
    page = root.get(view(type(job), "change", job.pk)).content.decode()
    for told in ("ffmpeg -i &#x27;a b&#x27;", "it ran", "submitted", "https://example.org/?…"):
        assert told in page
    assert "secret=1" not in page
    assert view(type(job.inputs.get().file), "change", job.inputs.get().file_id) in page


def test_a_job_whose_input_is_gone_has_its_page(root: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    JobInputFactory.create(job=job, file_id="file_gone")
    page = root.get(view(type(job), "change", job.pk)).content.decode()
    assert "file_gone (deleted)" in page


def test_a_tenant_s_page_tells_of_its_work(root: Client, cast: Cast) -> None:
    furnish(1)
    tenant = Membership.objects.get(tenant__name="furnished-1").tenant
    page = root.get(view(type(tenant), "change", tenant.pk)).content.decode()
    for title in ("Limits and use", "API keys", "Recent jobs", "Work of the last", "Largest files"):
        assert title in page
    assert tenant.webhook_secret not in page


def test_no_secret_of_a_key_is_shown(root: Client, cast: Cast) -> None:
    key = ApiKeyFactory.create(tenant=cast.tenant)
    page = root.get(view(type(key), "change", key.pk)).content.decode()
    assert key.name in page
    assert "only its holder knows it" in page
    assert key.secret_digest not in page


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": "failed"},
        {"operation": "transcode"},
        {"tenant__id__exact": "?"},
        {"failure": "deadline exceeded"},
        {"created_at_from": "2020-01-01", "created_at_to": "2030-01-01"},
        {"priority": "1"},
        {"lane": "cpu"},
        {"q": "studio"},
    ],
    ids=lambda query: next(iter(query)),
)
def test_jobs_are_found(root: Client, cast: Cast, query: dict[str, str]) -> None:
    found = JobFactory.create(tenant=cast.tenant, failed=True, error={"code": "deadline_exceeded"})
    given = {name: cast.tenant.pk if value == "?" else value for name, value in query.items()}
    assert found.pk in root.get(view(type(found), "changelist"), given).content.decode()


def test_members_are_sent_to_its_own_sign_in(alice: Client) -> None:
    assert "login" in alice.get("/admin/")["Location"]


def test_its_policy_is_looser_only_where_the_theme_needs_it(root: Client) -> None:
    policy = root.get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "default-src 'self'" in policy
    assert "unsafe" not in root.get("/login")["Content-Security-Policy"]
