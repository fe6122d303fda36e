from __future__ import annotations

from typing import Any

from django.test import Client

from accounts.models import ApiKey, Tenant
from accounts.roles import Role
from tests.factories import ApiKeyFactory


def key_of(tenant: Tenant, role: str = Role.DEVELOPER, **fields: Any) -> str:
    return text_of(ApiKeyFactory.create(tenant=tenant, role=role, **fields))


def text_of(key: ApiKey) -> str:
    return str(vars(key)["text"])


def client_of(tenant: Tenant, role: str = Role.DEVELOPER, **fields: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {key_of(tenant, role, **fields)}"})
