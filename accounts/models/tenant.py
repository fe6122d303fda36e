from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Self, TypeVar

from django.db import models

from ffapi_site.lib.crypto import EncryptedTextField
from ffapi_site.lib.ids import PublicIdField


def new_webhook_secret() -> str:
    """A signing secret as Standard Webhooks writes it: ``whsec_`` and base64 of 32 bytes."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


class Tenant(models.Model):
    id = PublicIdField(prefix="tenant")
    name = models.SlugField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(default=True)
    max_concurrent_jobs = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many jobs may run at once; empty: as many as slots"
    )
    max_queued_jobs = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many jobs may wait at once; empty: any number"
    )
    webhook_secret = EncryptedTextField(default=new_webhook_secret, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


Row = TypeVar("Row", bound=models.Model)


class TenantQuerySet(models.QuerySet[Row]):
    """Rows that belong to tenants: every look-up on behalf of somebody starts at ``for_tenant``."""

    def for_tenant(self, tenant: Tenant) -> Self:
        return self.filter(tenant=tenant)
