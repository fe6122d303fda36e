"""What no key opens is the trouble of whoever wants to read it, and of nobody else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Tenant
from accounts.roles import Role
from ffapi_site.lib.crypto import Undecipherable
from ffapi_site.lib.signing import sign_link
from tests.api.sending import code_of
from tests.factories import FileFactory, JobFactory, TenantFactory, UserFactory
from tests.harness.api_client import client_of
from tests.harness.cast import signed_in

pytestmark = pytest.mark.django_db


def stored(tenant: Tenant) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT webhook_secret FROM accounts_tenant WHERE id = %s", [tenant.pk])
        return str(cursor.fetchone()[0])


@pytest.fixture
def odd(settings: Settings) -> Tenant:
    """A tenant whose secret was encrypted with a key that is lost."""
    keys, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, ["lost"]
    tenant = TenantFactory.create(name="odd")
    settings.ENCRYPTION_KEYS = keys
    return tenant


@pytest.fixture
def staff() -> Client:
    return signed_in(UserFactory.create(username="root", is_staff=True, is_superuser=True))


def test_it_works() -> None:
    made = TenantFactory.create()
    found = Tenant.objects.get(pk=made.pk)
    assert found.webhook_secret == made.webhook_secret
    assert made.webhook_secret not in stored(made)
    assert Tenant.objects.defer("webhook_secret").get().webhook_secret == made.webhook_secret


def test_what_is_read_is_opened_when_it_is_looked_at(odd: Tenant) -> None:
    found = Tenant.objects.get(pk=odd.pk)
    assert found.name == "odd"
    with pytest.raises(Undecipherable):
        found.webhook_secret  # noqa: B018 -- to look at it is what is tried


def test_who_asks_for_it_is_told_what_is_missing(odd: Tenant) -> None:
    asking = client_of(odd, Role.ADMIN)
    asking.raise_request_exception = False
    refused = asking.get("/v1/tenant")
    assert code_of(refused, 503) == "secret_unreadable"
    assert "ENCRYPTION_KEYS" in refused.json()["detail"]


def test_what_was_not_looked_at_is_written_as_it_was_read(odd: Tenant) -> None:
    [sealed] = Tenant.objects.values_list("webhook_secret", flat=True)
    before = stored(odd)
    Tenant.objects.update(webhook_secret=sealed)
    assert stored(odd) == before
    found = Tenant.objects.get(pk=odd.pk)
    found.webhook_secret = "a new one"
    found.save()
    assert Tenant.objects.get(pk=odd.pk).webhook_secret == "a new one"


@pytest.mark.parametrize("path", ["/", "/jobs", "/files"])
def test_a_list_of_all_tenants_is_shown(odd: Tenant, staff: Client, path: str) -> None:
    JobFactory.create(tenant=odd)
    FileFactory.create(tenant=odd)
    assert staff.get(path).status_code == 200


def test_staff_see_which_tenant_has_one(odd: Tenant, staff: Client) -> None:
    assert staff.get(reverse("admin:accounts_tenant_changelist")).status_code == 200
    page = staff.get(reverse("admin:accounts_tenant_change", args=[odd.pk]))
    assert "none of ENCRYPTION_KEYS opens it" in page.content.decode()


def test_a_download_link_needs_no_secret(odd: Tenant) -> None:
    file = FileFactory.create(tenant=odd)
    token = sign_link(file.pk, lifetime_s=60)
    answer = Client().head(f"/v1/files/{file.pk}/content", query_params={"token": token})
    assert answer.status_code == 200
