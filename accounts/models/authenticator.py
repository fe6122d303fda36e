from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django_otp.models import Device

from accounts.models.person import User
from ffapi_site.lib.crypto import EncryptedTextField


class Authenticator(Device):
    """A person's second factor: time-based codes (RFC 6238). Everybody has one at most.

    Its failures are counted here, so that they count in all sessions and from all addresses.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator")
    secret = EncryptedTextField(editable=False)
    last_step = models.BigIntegerField(default=0, editable=False)
    """The newest time step a code was accepted of: neither it nor an older one is taken again."""
    created_at = models.DateTimeField(auto_now_add=True)
    failures_in_a_row = models.PositiveSmallIntegerField(default=0, editable=False)
    failed_at: models.Field[list[datetime], list[datetime]] = ArrayField(
        models.DateTimeField(), default=list, editable=False
    )
    locked_until = models.DateTimeField(null=True, editable=False)

    objects = models.Manager["Authenticator"]()

    def __str__(self) -> str:
        return f"authenticator of {self.user_id}"


class RecoveryCode(models.Model):
    """Stands in for a lost authenticator, once. Only an HMAC of it is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")
        ]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"
