from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import Tenant


class FairShare(models.Model):
    """What a tenant has used of late: whoever used least is served next.

    ``cpu_seconds`` is the use at ``as_of``; it halves with every ``FAIR_SHARE_HALF_LIFE_SECONDS``,
    so that neither a busy week nor a quiet one counts for long. A claim adds what the tenant's
    jobs typically cost, the job's end corrects that to what it did cost.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True)
    cpu_seconds = models.FloatField(default=0.0)
    as_of = models.DateTimeField(db_default=Now())
    typical_cpu_seconds = models.FloatField(default=1.0)
    typical_wall_seconds = models.FloatField(default=1.0)

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.cpu_seconds:.1f} s"
