from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from accounts import actor, audit
from accounts.admin import panels
from accounts.admin.audited import Audited
from accounts.admin.confirming import HasActions, ReasonField, confirmed
from accounts.admin.limits import LimitsForm, PlanOfTenantForm
from accounts.admin.members import MembershipInline
from accounts.admin.tenant_panels import keys_of, limits_of
from accounts.admin_site import Kept, site
from accounts.audit_events import AuditEvent
from accounts.models import Tenant
from accounts.quotas import suspension
from ffapi_site.lib.crypto import Undecipherable
from ffapi_site.lib.problems import Conflict

_PAGE = "admin:accounts_tenant_change"


class TenantForm(forms.ModelForm[Tenant]):
    reason = ReasonField()


@admin.register(Tenant, site=site)
class TenantAdmin(Kept, Audited, HasActions):
    """Tenants are suspended, not deleted: what they made would go with them."""

    form = TenantForm
    created, changed = AuditEvent.TENANT_CREATED, AuditEvent.TENANT_CHANGED
    told = ("requires_totp",)
    list_display = ("name", "id", "state", "plan", "created_at")
    list_filter = ("is_active", ("plan", RelatedDropdownFilter))
    list_filter_submit = True
    list_select_related = ("plan",)
    search_fields = ("name", "id")
    readonly_fields = ("id", "state", "signs_webhooks", "created_at", "quota_suspended_for")
    fieldsets = (
        (None, {"fields": ("name", "id", ("state", "quota_suspended_for"), "created_at")}),
        ("Security", {"fields": ("requires_totp", "signs_webhooks")}),
        ("Why", {"fields": ("reason",)}),
    )
    inlines: ClassVar = [MembershipInline]
    actions = ("suspend", "resume", "hold", "release")
    change_form_outer_before_template = "admin/parts/tenant_deeds.html"
    change_form_outer_after_template = "admin/parts/panels.html"

    def tenant_of(self, row: Tenant) -> str:
        return row.pk

    def fits(self, action: str, row: Tenant) -> bool:
        is_held = row.quota_suspended_at is not None
        unfit = {
            "suspend": not row.is_active,
            "resume": row.is_active,
            "hold": is_held,
            "release": not is_held,
        }
        return not unfit.get(action)

    @display(label={"active": "success", "held": "warning", "suspended": "danger"})
    def state(self, tenant: Tenant) -> str:
        if not tenant.is_active:
            return "suspended"
        return "held" if tenant.quota_suspended_at else "active"

    @display(description="webhook secret")
    def signs_webhooks(self, tenant: Tenant) -> str:
        try:
            return "set" if tenant.webhook_secret else "not set"
        except Undecipherable:
            return "set, but none of ENCRYPTION_KEYS opens it"

    def save_model(
        self,
        request: HttpRequest,
        obj: Tenant,
        form: TenantForm,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        """Write what the form changed: the rest may be another by now, a suspension for one."""
        if change:
            obj.save(update_fields=[name for name in form.changed_data if name != "reason"])
        else:
            super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/limits/", view(self.limits), name="accounts_tenant_limits"),
            path("<path:object_id>/plan/", view(self.plan), name="accounts_tenant_plan"),
        ]
        return [*own, *super().get_urls()]

    def limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._change(request, object_id, LimitsForm, "Limits of")

    def plan(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._change(request, object_id, PlanOfTenantForm, "Plan of")

    def _change(
        self,
        request: HttpRequest,
        object_id: str,
        kind: type[LimitsForm | PlanOfTenantForm],
        title: str,
    ) -> HttpResponse:
        tenant = get_object_or_404(Tenant, pk=unquote(object_id))
        if not self.has_change_permission(request, tenant):
            raise PermissionDenied
        form = kind(request.POST or None, tenant)
        if form.is_valid():
            actor.explain(form.cleaned_data["reason"])
            form.apply(tenant)
            messages.success(request, f"{title} {tenant}: saved.")
            return redirect(_PAGE, quote(tenant.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{title} {tenant}",
            "opts": self.opts,
            "original": tenant,
            "form": form,
        }
        return TemplateResponse(request, "admin/one_form.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if tenant := context.get("original"):
            tellers = (limits_of, keys_of, *panels.of_tenant)
            context["panels"] = [tell(tenant) for tell in tellers]
        return super().render_change_form(request, context, *args, **kwargs)

    @confirmed(
        "Suspend the chosen tenants: nobody of them gets in",
        verb="Suspend",
        done="suspended; what runs goes on to its end",
        permissions=["change"],
        is_dangerous=True,
    )
    def suspend(self, _request: HttpRequest, tenant: Tenant) -> None:
        _switch(tenant, AuditEvent.TENANT_SUSPENDED, is_active=False)

    @confirmed(
        "Resume the chosen tenants: their people and keys get in again",
        verb="Resume",
        done="resumed",
        permissions=["change"],
    )
    def resume(self, _request: HttpRequest, tenant: Tenant) -> None:
        _switch(tenant, AuditEvent.TENANT_RESUMED, is_active=True)

    @confirmed(
        "Hold the chosen tenants: nothing new is taken of them",
        verb="Hold",
        done="held; what is there can be read, and what runs goes on",
        permissions=["change"],
        is_dangerous=True,
    )
    def hold(self, _request: HttpRequest, tenant: Tenant) -> None:
        suspension.suspend(tenant, actor.current().reason)

    @confirmed(
        "Release the chosen tenants: new work is taken again",
        verb="Release",
        done="released",
        permissions=["change"],
    )
    def release(self, _request: HttpRequest, tenant: Tenant) -> None:
        suspension.lift(tenant)


def _switch(tenant: Tenant, event: AuditEvent, *, is_active: bool) -> None:
    with transaction.atomic():
        other = Tenant.objects.filter(pk=tenant.pk, is_active=not is_active)
        if not other.update(is_active=is_active):
            raise Conflict(f"it is {'active' if is_active else 'suspended'} already")
        audit.record(event, tenant.pk, tenant.pk)
