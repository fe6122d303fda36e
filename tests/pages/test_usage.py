from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Membership, Tenant, UsageEntry
from accounts.quotas import limits
from accounts.roles import Role
from media_jobs.models import Status
from tests.factories import MembershipFactory
from tests.harness.cast import Cast
from tests.pages.test_every_page import Outline
from tests.quotas.test_usage import ended

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(cast: Cast) -> Tenant:
    return cast.tenant


@pytest.fixture
def ada(tenant: Tenant) -> Client:
    client = Client()
    client.force_login(MembershipFactory.create(tenant=tenant, role=Role.OPERATOR).user)
    return client


def test_it_works(ada: Client, tenant: Tenant) -> None:
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 5, "max_resolution": 720})
    for status in (Status.COMPLETED, Status.FAILED):
        ended(tenant, status)
    response = ada.get("/usage")
    content = response.content.decode()
    outline = Outline(content)
    assert response.status_code == 200
    assert outline.count("h1") == outline.count("svg") == outline.count("progress") == 1
    assert outline.count("rect") == 30
    assert "at most 720 lines" in " ".join(content.split())
    assert not [
        name for _, attributes in outline.elements for name in attributes if name == "style"
    ]
    assert 'aria-current="page">Usage' in " ".join(content.split())


def test_it_is_empty_at_first(ada: Client) -> None:
    content = ada.get("/usage").content.decode()
    assert "No job ended in these days" in content
    assert "There are none: this tenant may use" in content


def test_a_wrong_day_is_told_of(ada: Client) -> None:
    response = ada.get("/usage?from=soon")
    assert response.status_code == 422
    assert "must be a day" in response.content.decode()


def test_it_comes_as_a_sheet(ada: Client, tenant: Tenant) -> None:
    ended(tenant)
    response = ada.get("/usage.csv?group_by=operation")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert b'"transcode","","1","1","0","0","7.2","3.0","1000","500","0.0000"' in response.content


def test_who_lacks_the_scope_is_refused(ada: Client, tenant: Tenant) -> None:
    Membership.objects.update(role=Role.VIEWER)
    assert ada.get("/usage").status_code == 403
    assert ada.get("/usage.csv").status_code == 403


def test_it_shows_no_other_tenant_s(ada: Client) -> None:
    from tests.factories import TenantFactory

    ended(TenantFactory.create())
    assert UsageEntry.objects.count() == 1
    assert "No job ended" in ada.get("/usage").content.decode()
