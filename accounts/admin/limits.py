"""Plans, and what one tenant may take: each page changes one thing, which is one audit record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import actor
from accounts.admin.confirming import ReasonField
from accounts.admin_site import Kept, site
from accounts.models import Plan, Tenant
from accounts.quotas import limits
from accounts.quotas.catalogue import LARGEST, QUOTAS

_UNLIMITED = "none"


class LimitField(forms.CharField):
    """A whole number; empty says nothing of this limit, and "none" lifts the plan's."""

    def __init__(self, name: str, *, may_lift: bool) -> None:
        quota = QUOTAS[name]
        self.may_lift = may_lift
        empty = "empty: the plan's; none: without limit" if may_lift else "empty: without limit"
        super().__init__(
            label=quota.title,
            required=False,
            max_length=10,
            help_text=f"In {quota.unit}; {empty}",
            widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        )

    def clean(self, value: Any) -> int | str | None:
        text = super().clean(value).strip().lower()
        if not text:
            return None
        if text == _UNLIMITED and self.may_lift:
            return _UNLIMITED
        if text.isascii() and text.isdecimal() and int(text) <= LARGEST:
            return int(text)
        raise ValidationError(f"a whole number from 0 to {LARGEST}")


def _read(cleaned: Mapping[str, Any]) -> dict[str, int | None]:
    given = {name: cleaned.get(name) for name in QUOTAS}
    return {
        name: None if value == _UNLIMITED else value
        for name, value in given.items()
        if value is not None
    }


class LimitsForm(forms.Form):
    """A tenant's own limits, in the place of its plan's."""

    def __init__(self, data: Any, tenant: Tenant) -> None:
        told = {name: _UNLIMITED if n is None else n for name, n in tenant.quota.items()}
        super().__init__(data, initial=told)
        self.fields |= {name: LimitField(name, may_lift=True) for name in QUOTAS}
        self.fields["reason"] = ReasonField()

    def apply(self, tenant: Tenant) -> None:
        limits.set_for_tenant(tenant, _read(self.cleaned_data))


class PlanOfTenantForm(forms.Form):
    plan = forms.ModelChoiceField(
        Plan.objects.all(),
        required=False,
        empty_label="no plan",
        widget=UnfoldAdminSelectWidget(),
    )
    reason = ReasonField()

    def __init__(self, data: Any, tenant: Tenant) -> None:
        super().__init__(data, initial={"plan": tenant.plan_id})

    def apply(self, tenant: Tenant) -> None:
        plan = self.cleaned_data["plan"]
        limits.set_plan(tenant, plan.pk if plan else None)


class _PlanForm(forms.ModelForm[Plan]):
    reason = ReasonField()

    class Meta:
        model = Plan
        fields = ("name", "suspend_after_violations")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial |= self.instance.limits


# A plan with a field for each limit that there is; they lie in one column.
PlanForm: Any = type(
    "PlanForm", (_PlanForm,), {name: LimitField(name, may_lift=False) for name in QUOTAS}
)


@admin.register(Plan, site=site)
class PlanAdmin(Kept, ModelAdmin):
    """Named sets of limits. A change holds at once, for every tenant that has the plan."""

    form = PlanForm
    list_display = ("name", "limited", "suspend_after_violations", "created_at")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "suspend_after_violations")}),
        ("Limits", {"fields": tuple(QUOTAS)}),
        ("Why", {"fields": ("reason",)}),
    )

    def get_readonly_fields(self, _request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name",) if obj else ()  # tenants name it

    def save_model(
        self,
        _request: HttpRequest,
        obj: Plan,
        form: Any,
        _change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        actor.explain(form.cleaned_data["reason"])
        suspend_after = form.cleaned_data["suspend_after_violations"]
        limits.put_plan(obj.pk, _read(form.cleaned_data), suspend_after_violations=suspend_after)

    @admin.display(description="limits")
    def limited(self, plan: Plan) -> str:
        return ", ".join(f"{name} {limit}" for name, limit in plan.limits.items()) or "none"
