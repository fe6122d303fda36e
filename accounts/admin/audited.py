"""Forms of the admin whose saving is one record of the audit log, in the same transaction."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts import actor, audit
from accounts.audit_events import AuditEvent

Facts = dict[str, Any]

_PLAIN = (bool, int, str, list, dict, type(None))


class Audited(ModelAdmin):
    """``told`` names the fields whose values may be told; of the others only that they changed."""

    created: ClassVar[AuditEvent]
    changed: ClassVar[AuditEvent]
    told: ClassVar[tuple[str, ...]] = ()

    def tenant_of(self, _row: Any) -> str | None:
        """Whose chain the record belongs to; None for the installation's own."""
        return None

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        actor.explain(form.cleaned_data.get("reason", ""))
        super().save_related(request, form, formsets, change)
        touched = [name for name in form.changed_data if name != "reason"]
        details: Facts = {"changed": sorted(touched)} if touched else {}
        for name in touched:
            if name in self.told:
                before, now = form.initial.get(name), form.cleaned_data[name]
                details[name] = {"from": _plain(before), "to": _plain(now)}
        details |= {
            formset.model._meta.model_name: members  # noqa: SLF001 -- public, by its documentation
            for formset in formsets
            if (members := _of_formset(formset))
        }
        if change and not details:
            return
        row = form.instance
        event = self.changed if change else self.created
        audit.record(event, self.tenant_of(row), str(row.pk), details=details)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value.pk)
    return value if isinstance(value, _PLAIN) else str(value)


def _of_formset(formset: Any) -> Facts:
    """The rows of an inline that were added, changed and removed.

    A membership is told by whose it is, another row by its id alone.
    """
    told = ("user_id", "role")
    found = {
        "added": formset.new_objects,
        "changed": [row for row, _ in formset.changed_objects],
        "removed": formset.deleted_objects,
    }
    return {
        how: [
            {name: getattr(row, name) for name in told if hasattr(row, name)} or {"id": row.pk}
            for row in rows
        ]
        for how, rows in found.items()
        if rows
    }
