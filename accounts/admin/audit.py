from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from accounts.actor import Kind
from accounts.admin.listed import by
from accounts.admin_site import ReadOnlyAdmin, site
from accounts.audit_events import AuditEvent, Outcome
from accounts.models import AuditCheckpoint, AuditForwarding, AuditKey, AuditRecord


@admin.register(AuditRecord, site=site)
class AuditRecordAdmin(ReadOnlyAdmin):
    """What happened, as it was sealed: nobody changes it here or anywhere."""

    list_display = ("at", "tenant", "event_type", "actor", "resource", "outcome", "is_sealed")
    list_filter = (
        ("tenant", AutocompleteSelectFilter),
        by("outcome", Outcome),
        by("actor_type", Kind),
        by("event_type", sorted(AuditEvent)),
        ("seq", admin.EmptyFieldListFilter),
    )
    list_filter_submit = True
    list_select_related = ("tenant",)
    search_fields = ("=id", "=actor_id", "=resource_id", "=request_id")
    search_help_text = "An id: of a record, an actor, a resource or a request"
    show_full_result_count = False  # it would count every record there is
    ordering = ("-id",)
    exclude = ("salt", "xid")

    @display(description="actor")
    def actor(self, record: AuditRecord) -> str:
        name = (record.personal or {}).get("name") or record.actor_id
        return f"{record.actor_type} {name}".strip()

    @display(description="resource")
    def resource(self, record: AuditRecord) -> str:
        return record.resource_id or record.resource_type

    @display(description="sealed", boolean=True)
    def is_sealed(self, record: AuditRecord) -> bool:
        return record.seq is not None


_KINDS = ("checkpoint", "cut", "rollback")


@admin.register(AuditCheckpoint, site=site)
class AuditCheckpointAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "number", "kind", "seq", "at")
    list_filter = (("tenant", AutocompleteSelectFilter), by("kind", _KINDS))
    list_filter_submit = True
    list_select_related = ("tenant",)
    show_full_result_count = False
    ordering = ("-at",)


@admin.register(AuditKey, site=site)
class AuditKeyAdmin(ReadOnlyAdmin):
    list_display = ("key_id", "at")


@admin.register(AuditForwarding, site=site)
class AuditForwardingAdmin(ReadOnlyAdmin):
    """How far the log's copies elsewhere are."""

    list_display: ClassVar = ("target", "place", "failure")
