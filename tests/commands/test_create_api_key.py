from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import keys
from accounts.models import ApiKey, AuditRecord, Tenant
from ffapi_site.lib.ids import new_id
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db


def _made(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("create_api_key", "--tenant", "acme", "--json", *arguments, stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def test_it_works() -> None:
    told = _made()
    assert set(told) == {"tenant", "id", "key", "role", "scopes"}
    assert (told["tenant"], told["role"], told["scopes"]) == ("acme", "admin", ["*"])
    found = keys.find(told["key"])
    assert found is not None
    assert (found.id, found.tenant.name) == (told["id"], "acme")


def test_the_tenant_is_made_once() -> None:
    assert _made()["id"] != _made()["id"]
    assert Tenant.objects.filter(name="acme").count() == 1


def test_a_tenant_that_is_there_has_keys_whatever_its_name() -> None:
    """Names that look like ids were taken once."""
    tenant = TenantFactory.create(name=new_id("tenant"))
    assert _made("--tenant", tenant.name)["tenant"] == tenant.name


def test_scopes_narrow_the_role() -> None:
    told = _made("--role", "developer", "--scope", "jobs:read", "--scope", "files:read")
    assert told["scopes"] == ["files:read", "jobs:read"]


def test_it_is_bounded() -> None:
    _made("--days", "30", "--allowed-ip", "10.0.0.0/8", "--allowed-ip", "::1", "--rate-limit", "9")
    key = ApiKey.objects.get()
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in {29, 30}
    assert (key.allowed_ips, key.rate_limit_per_minute) == (["10.0.0.0/8", "::1/128"], 9)


def test_it_is_recorded() -> None:
    told = _made()
    [record] = AuditRecord.objects.filter(resource_id=told["id"])
    assert (record.event_type, record.actor_type) == ("api_key.created", "system")


def test_people_are_told_it_in_words() -> None:
    out = StringIO()
    call_command("create_api_key", "--tenant", "acme", stdout=out)
    assert f"api key: ffapi_{ApiKey.objects.get().id.removeprefix('key_')}_" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--role", "emperor"], "--role"),
        (["--scope", "jobs:guess"], "--scope"),
        (["--role", "viewer", "--scope", "jobs:create"], "viewer"),
        (["--tenant", "not a slug"], "--tenant"),
        (["--tenant", new_id("tenant")], "--tenant: This looks like an id"),
        (["--days", "-1"], "--days"),
        (["--allowed-ip", "10.0.0.1/8"], "--allowed-ip"),
        (["--rate-limit", "0"], "--rate-limit"),
        (["--name", ""], "--name"),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        _made(*arguments)
    assert not ApiKey.objects.exists()
