from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any, Self, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.db.models import Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models.plan import Plan
from ffapi_site.lib.crypto import EncryptedTextField
from ffapi_site.lib.ids import PublicIdField, refuse_public_id
from ffapi_site.lib.web_addresses import LONGEST_URL


def new_webhook_secret() -> str:
    """A signing secret as Standard Webhooks writes it: ``whsec_`` and base64 of 32 bytes."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


class Tenant(models.Model):
    id = PublicIdField(prefix="tenant")
    name = models.SlugField(max_length=64, unique=True, validators=[refuse_public_id])
    created_at = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(default=True)
    max_concurrent_jobs = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many jobs may run at once; empty: as many as slots"
    )
    max_queued_jobs = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many jobs may wait at once; empty: any number"
    )
    requires_totp = models.BooleanField(
        default=False, help_text="Whether every member must sign in with a code as well"
    )
    plan = models.ForeignKey(
        Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="tenants"
    )
    quota = models.JSONField(default=dict, db_default={}, blank=True)
    """Its own limits, in the place of its plan's; null there lifts the plan's."""
    limits = models.JSONField(default=dict, db_default={}, editable=False)
    """Those in force: `accounts.quotas.limits` puts them together."""
    quota_suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    quota_suspended_for = models.CharField(
        max_length=200, blank=True, db_default="", editable=False
    )
    alert_webhook_url = models.CharField(max_length=LONGEST_URL, blank=True, db_default="")
    """Where alerts of quotas are posted to."""
    webhook_secret = EncryptedTextField(default=new_webhook_secret, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            if self._state.adding and self.plan_id is None and settings.DEFAULT_PLAN:
                self._take_default_plan()
            super().save(*args, **options)

    def _take_default_plan(self) -> None:
        """Nothing of a new tenant's is there to be counted: its limits hold at once.

        The plan is held until the tenant is there: who changes it looks for its tenants then.
        """
        held = Plan.objects.select_for_update(no_key=True)
        plan = held.filter(pk=settings.DEFAULT_PLAN).first()
        if plan is None:
            raise ImproperlyConfigured(f"DEFAULT_PLAN: there is no plan {settings.DEFAULT_PLAN}")
        self.plan, self.limits = plan, plan.limits | self.limits
        self.max_concurrent_jobs = self.limits.get("max_concurrent_jobs")
        self.max_queued_jobs = self.limits.get("max_queued_jobs")


Row = TypeVar("Row", bound=models.Model)

SEARCHED_ROWS = 50_000
"""So many can be read in a third of a second."""


class TenantQuerySet(models.QuerySet[Row]):
    """Rows that belong to tenants: every look-up on behalf of somebody starts at ``for_tenant``."""

    def for_tenant(self, tenant: Tenant) -> Self:
        return self.filter(tenant=tenant)

    def searchable(self) -> Self:
        """Keep the newest of them: a search for a part of a text reads every row.

        Whoever looks for older ones narrows what is searched, by time above all.
        """
        beyond = self.order_by("-pk").values("pk")[SEARCHED_ROWS : SEARCHED_ROWS + 1]
        return self.filter(pk__gt=Coalesce(Subquery(beyond), Value("")))
