"""Rows for tests, made by ``SomeFactory.create()``: each test states only what it is about."""

from __future__ import annotations

from tests.factories.accounts import (
    PASSWORD,
    ApiKeyFactory,
    MembershipFactory,
    TenantFactory,
    UserFactory,
)
from tests.factories.media_jobs import JobFactory
from tests.factories.storage import FileFactory

__all__ = [
    "PASSWORD",
    "ApiKeyFactory",
    "FileFactory",
    "JobFactory",
    "MembershipFactory",
    "TenantFactory",
    "UserFactory",
]
