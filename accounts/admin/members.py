from __future__ import annotations

from typing import Any

from django import forms
from unfold.admin import TabularInline

from accounts.models import Membership
from accounts.people import members


class MembershipForm(forms.ModelForm[Membership]):
    """Another person is another membership: the one of before would keep what ends with theirs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].disabled = self.instance.pk is not None


class MembershipFormSet(forms.BaseInlineFormSet[Membership, Any, MembershipForm]):
    """Staff may do what a tenant's admins may, and take out the last of these too."""

    def save_existing(
        self,
        _form: MembershipForm,
        obj: Membership,
        commit: bool = True,  # noqa: FBT001, FBT002 -- Django's signature
    ) -> Membership:
        if commit:
            members.give_role(Membership.objects.get(pk=obj.pk), obj.role)
        return obj

    def delete_existing(self, obj: Membership, commit: bool = True) -> None:  # noqa: FBT001, FBT002 -- as above
        if commit:
            members.take_out(obj)


class MembershipInline(TabularInline):
    """Who goes, or has another role, is a record of its own beside the tenant's."""

    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user", "role")
