from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models.tenant import Tenant
from ffapi_site.lib.bounded_fields import BoundedJSONField
from ffapi_site.lib.crypto import EncryptedTextField

HEADERS_BYTES = 8 << 10
# A key may be new with every request, and each answer is kept for a day: so only short ones are.
ANSWER_BYTES = 64 << 10


class IdempotentRequest(models.Model):
    """The first request under an ``Idempotency-Key`` and, once it ended, its answer.

    ``made`` is the id of what the request made, written in the transaction that made it: whoever
    takes over after a crash answers with that instead of making another. ``answer`` is encrypted,
    for it may hold what is told only once; ``body`` is that of earlier days, in clear.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(db_default=Now())
    made = models.CharField(max_length=64, blank=True, default="", db_default="")
    status = models.PositiveSmallIntegerField(null=True)
    headers = BoundedJSONField(default=dict, most_bytes=HEADERS_BYTES, cuts=False)
    answer = EncryptedTextField(default="", db_default="")
    body = models.BinaryField(default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="idempotency_key_once")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return self.key
