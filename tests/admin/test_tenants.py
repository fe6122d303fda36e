"""Tenants and their keys in the admin."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin.tenant_panels import keys_of
from accounts.admin.tenants import TenantAdmin
from accounts.admin_site import site
from accounts.models import Tenant
from accounts.roles import Role
from tests.admin.conftest import REASON
from tests.factories import ApiKeyFactory, MembershipFactory, TenantFactory
from tests.pages.conftest import Cast


def test_a_form_writes_what_it_changed_and_nothing_else(root: Client, cast: Cast) -> None:
    """A suspension meanwhile stays, and so do limits."""
    read = Tenant.objects.get(pk=cast.tenant.pk)
    Tenant.objects.filter(pk=read.pk).update(is_active=False, limits={"max_jobs_per_day": 1})
    request, page = root.get(reverse("admin:index")).wsgi_request, TenantAdmin(Tenant, site)
    sent = {"name": read.name, "requires_totp": "on", "reason": REASON}
    form = page.get_form(request, read, change=True)(sent, instance=read)
    assert form.is_valid(), form.errors
    page.save_model(request, form.instance, form, change=True)
    saved = Tenant.objects.get(pk=read.pk)
    assert (saved.requires_totp, saved.is_active) == (True, False)
    assert saved.limits == {"max_jobs_per_day": 1}


def _follow(tenant: Tenant, number: int) -> None:
    """Have so many keys more, each of a person of its own."""
    for _ in range(number):
        user = MembershipFactory.create(tenant=tenant, role=Role.ADMIN).user
        ApiKeyFactory.create(tenant=tenant, created_by=user, follows_creator=True)


def _queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_keys_that_follow_people_cost_no_query_each(root: Client, cast: Cast) -> None:
    keys = reverse("admin:accounts_apikey_changelist")
    tenant = TenantFactory.create()
    _follow(tenant, 1)
    few = _queries(root, keys)
    _follow(tenant, 5)
    assert _queries(root, keys) == few


def test_nor_does_the_tenant_s_page(root: Client, cast: Cast) -> None:

    tenant = TenantFactory.create()
    _follow(tenant, 5)
    with CaptureQueriesContext(connection) as captured:
        assert len(keys_of(tenant).rows) == 5
    assert len(captured) == 1
