from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models.person import Membership, User
from accounts.models.tenant import Tenant, TenantQuerySet
from accounts.roles import ROLE_SCOPES, Role, effective_scopes, shared
from ffapi_site.lib.ids import MadeAtField, PublicIdField


class ApiKeyQuerySet(TenantQuerySet["ApiKey"]):
    """Keys of tenants."""

    def with_creators_role(self) -> Self:
        """Bring along what a key that follows its creator is held against."""
        memberships = Membership.objects.filter(
            tenant=OuterRef("tenant"), user=OuterRef("created_by"), user__is_active=True
        )
        return self.annotate(creators_role=Subquery(memberships.values("role")[:1]))


class ApiKey(models.Model):
    """A tenant's key. Of its secret only an HMAC under the installation's pepper is kept."""

    id = PublicIdField(prefix="key")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=16, choices=Role.choices)
    narrowed_to = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    secret_digest = models.CharField(max_length=64, editable=False)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL)
    """The person who made it, or who stands behind the key that did."""
    made_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="made"
    )
    """The key that made it."""
    follows_creator = models.BooleanField(default=False, db_default=False)
    """It holds what its creator's membership holds at most, and ends with that."""
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="successor"
    )
    created_at = MadeAtField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    allowed_ips = ArrayField(
        models.CharField(max_length=43), default=list, db_default=[], blank=True
    )
    rate_limit_per_minute = models.PositiveIntegerField(null=True, blank=True)
    quota = models.JSONField(default=dict, db_default={}, blank=True)
    """Its limits, beside its tenant's."""
    max_concurrent_jobs = models.PositiveIntegerField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_address = models.CharField(
        max_length=45, blank=True, default="", db_default="", editable=False
    )
    known_addresses = ArrayField(
        models.CharField(max_length=45), default=list, db_default=[], blank=True, editable=False
    )

    largest_rate_of_tenant: int | None = None
    """Of all of the tenant's keys; told where a key is checked."""

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="api_key_role")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

    @cached_property
    def creators_role(self) -> str | None:
        [found] = ApiKey.objects.with_creators_role().filter(pk=self.pk)
        role: str | None = vars(found)["creators_role"]
        return role

    @property
    def scopes(self) -> frozenset[str]:
        held = effective_scopes(self.role, self.narrowed_to)
        if not self.follows_creator:
            return held
        return shared(held, ROLE_SCOPES[self.creators_role]) if self.creators_role else frozenset()

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_orphaned(self) -> bool:
        """Has the one whom it follows left the tenant?"""
        return self.follows_creator and self.creators_role is None

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and not self.is_expired and not self.is_orphaned
