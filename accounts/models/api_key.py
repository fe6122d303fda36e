from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models.person import User
from accounts.models.tenant import Tenant, TenantQuerySet
from accounts.roles import Role, effective_scopes
from ffapi_site.lib.ids import PublicIdField


class ApiKeyQuerySet(TenantQuerySet["ApiKey"]):
    """Keys of tenants."""


class ApiKey(models.Model):
    """A tenant's key. Of its secret only an HMAC under the installation's pepper is kept."""

    id = PublicIdField(prefix="key")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=16, choices=Role.choices)
    narrowed_to = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    secret_digest = models.CharField(max_length=64, editable=False)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    max_concurrent_jobs = models.PositiveIntegerField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="api_key_role")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

    @property
    def scopes(self) -> frozenset[str]:
        return effective_scopes(self.role, self.narrowed_to)

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and (
            self.expires_at is None or self.expires_at > timezone.now()
        )
