"""Which records are asked for, the same in the API, on the page and in exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import AuditRecord, Tenant
from accounts.models.audit import AuditRecordQuerySet


@dataclass(frozen=True)
class Selection:
    """Records of one tenant or, for staff without one, of all and of the installation itself."""

    tenant: Tenant | None
    start: datetime | None = None
    end: datetime | None = None
    actor: str = ""
    """An actor's id, name or kind."""
    event_type: str = ""
    resource: str = ""
    """An id of what it happened to, or its type."""

    @property
    def tenant_id(self) -> str | None:
        return self.tenant.pk if self.tenant else None

    @property
    def is_whole(self) -> bool:
        """Is nothing left out between start and end?"""
        return not (self.actor or self.event_type or self.resource)

    def records(self) -> AuditRecordQuerySet:
        rows = AuditRecord.objects.all()
        if self.tenant is not None:
            rows = rows.for_tenant(self.tenant)
        wanted = {"at__gte": self.start, "at__lt": self.end, "event_type": self.event_type}
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        if self.actor:
            by = Q(actor_id=self.actor) | Q(actor_type=self.actor) | Q(personal__name=self.actor)
            rows = rows.filter(by)
        if self.resource:
            rows = rows.filter(Q(resource_id=self.resource) | Q(resource_type=self.resource))
        return rows

    def told(self) -> dict[str, Any]:
        """What an export's own record says of it; whose records were asked for is not in it."""
        times = {"start": self.start, "end": self.end}
        wanted = {name: at.isoformat() for name, at in times.items() if at}
        return wanted | {
            name: value
            for name, value in {"event_type": self.event_type, "resource": self.resource}.items()
            if value
        }
