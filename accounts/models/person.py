from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower

from accounts.models.tenant import Tenant
from accounts.roles import Role


class User(AbstractUser):
    """A person: staff, or a member of tenants.

    An e-mail address is theirs by proof (a link that was sent there) or by the word of staff, and
    nobody else's: single sign-on finds people by it.
    """

    otp_device: object | None = None

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="person_email_once", condition=~models.Q(email="")
            )
        ]

    def is_verified(self) -> bool:
        """Tell whether this session has proved the second factor."""
        return self.otp_device is not None


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.DEVELOPER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "tenant"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant} as {self.role}"
