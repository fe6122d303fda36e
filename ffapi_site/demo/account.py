from __future__ import annotations

import secrets
from dataclasses import dataclass

from accounts import keys
from accounts.models import Membership, Tenant, User
from accounts.roles import Role

NAME = "demo"


@dataclass(frozen=True)
class Account:
    username: str
    password: str
    api_key: str


def demo_account() -> Account:
    """Give the demo tenant's admin a new password and a new key; both are made where missing."""
    tenant, _ = Tenant.objects.get_or_create(name=NAME)
    user, _ = User.objects.get_or_create(username=NAME)
    Membership.objects.update_or_create(user=user, tenant=tenant, defaults={"role": Role.ADMIN})
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    _, api_key = keys.issue(tenant, name="made by the demo", role=Role.ADMIN, created_by=user)
    return Account(user.username, password, api_key)
