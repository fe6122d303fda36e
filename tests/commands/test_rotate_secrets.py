from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.management.commands import rotate_secrets
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = ["old"]


def told() -> str:
    said = StringIO()
    call_command("rotate_secrets", stdout=said)
    return said.getvalue()


def stored(tenant: Tenant) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT webhook_secret FROM accounts_tenant WHERE id = %s", [tenant.pk])
        return str(cursor.fetchone()[0])


def secrets() -> dict[str, str]:
    return {tenant.pk: tenant.webhook_secret for tenant in Tenant.objects.all()}


def test_it_works(settings: Settings) -> None:
    tenants = [TenantFactory.create() for _ in range(3)]
    before = secrets()
    settings.ENCRYPTION_KEYS = ["new", "old"]
    assert "accounts.Tenant.webhook_secret: 3 rotated, 0 fresh, 0 unreadable" in told()
    settings.ENCRYPTION_KEYS = ["new"]
    assert secrets() == before
    assert all(before[tenant.pk] not in stored(tenant) for tenant in tenants)


def test_a_second_run_changes_nothing(settings: Settings) -> None:
    tenant = TenantFactory.create()
    settings.ENCRYPTION_KEYS = ["new", "old"]
    told()
    once = stored(tenant)
    assert "0 rotated, 1 fresh" in told()
    assert stored(tenant) == once


def test_it_goes_on_where_it_was_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        TenantFactory.create()
    settings.ENCRYPTION_KEYS = ["new", "old"]
    rotated = rotate_secrets._rotated
    left = iter([True, True, False])

    def stopped(*row: object) -> str:
        if not next(left):
            raise KeyboardInterrupt
        return rotated(*row)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(rotate_secrets, "_rotated", stopped)
        with pytest.raises(KeyboardInterrupt):
            told()
    assert "2 rotated, 2 fresh" in told()


def test_what_no_key_opens_is_told_and_left(settings: Settings) -> None:
    lost = TenantFactory.create()
    settings.ENCRYPTION_KEYS = ["other"]
    TenantFactory.create()
    settings.ENCRYPTION_KEYS = ["new", "other"]
    before = stored(lost)
    with pytest.raises(CommandError, match="1 secrets are under none"):
        told()
    assert stored(lost) == before


def test_a_value_written_meanwhile_stays(settings: Settings) -> None:
    tenant = TenantFactory.create()
    old = stored(tenant)
    settings.ENCRYPTION_KEYS = ["new", "old"]
    Tenant.objects.filter(pk=tenant.pk).update(webhook_secret="whsec_another")
    rotate_secrets._rotated(Tenant, "webhook_secret", tenant.pk, old)
    assert secrets()[tenant.pk] == "whsec_another"
