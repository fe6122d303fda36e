from __future__ import annotations

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now

from accounts.actor import USER_AGENT_LENGTH
from accounts.models.person import User


class BrowserSession(AbstractBaseSession):
    """A session as Django keeps one, and what its owner may know of it.

    ``expire_date`` moves on while the session is used, up to its longest life.
    """

    public_id = models.CharField(max_length=34, null=True, unique=True, editable=False)  # noqa: DJ001 -- null for strangers
    user = models.ForeignKey(
        User, null=True, on_delete=models.CASCADE, related_name="browser_sessions"
    )
    ip_address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return str(self.public_id)
