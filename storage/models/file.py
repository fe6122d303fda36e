from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from accounts.models import ApiKey, Tenant, TenantQuerySet
from ffapi_site.lib.bounded_fields import BoundedJSONField
from ffapi_site.lib.ids import MadeAtField, PublicIdField
from ffapi_site.lib.labels import LONGEST_TAG, METADATA_BYTES

MEDIA_BYTES = 256 << 10


class FileQuerySet(TenantQuerySet["File"]):
    def published(self) -> Self:
        return self.filter(published_at__isnull=False)


class Origin(models.TextChoices):
    UPLOAD = "upload"
    URL = "url"
    JOB = "job"


class File(models.Model):
    """Bytes of a tenant, kept in the ``media`` storage under ``storage_key``.

    The row comes first, then the bytes, then ``published_at``: what a crash leaves behind is a row
    that nobody sees and that the sweep removes together with its bytes.
    """

    id = PublicIdField(prefix="file")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="files")
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """The key that it was sent with, or whose job made it: it counts for that key as well."""
    name = models.CharField(max_length=255)
    origin = models.CharField(max_length=8, choices=Origin.choices)
    storage_key = models.CharField(max_length=255, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    content_type = models.CharField(max_length=100, default="application/octet-stream")
    sha256 = models.CharField(max_length=64, blank=True)
    media = BoundedJSONField(null=True, blank=True, most_bytes=MEDIA_BYTES, cuts=False)
    tags = ArrayField(models.CharField(max_length=LONGEST_TAG), default=list, blank=True)
    metadata = BoundedJSONField(default=dict, blank=True, most_bytes=METADATA_BYTES, cuts=False)
    created_at = MadeAtField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    removal_failed_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When its bytes could not be removed the last time that this was tried."""

    objects = FileQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(origin__in=Origin.values), name="file_origin"
            ),
            models.CheckConstraint(
                condition=models.Q(published_at=None)
                | (~models.Q(storage_key="") & ~models.Q(sha256="")),
                name="file_published_with_bytes",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="file_of_tenant"),
            models.Index(fields=["expires_at"], name="file_expiry"),
            models.Index(
                fields=["removal_failed_at"],
                condition=models.Q(removal_failed_at__isnull=False),
                name="file_not_removed",
            ),
            GinIndex(fields=["tags"], name="file_tags"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"
