"""Actions of the admin that ask before they act, and want to know why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Self

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import actor
from ffapi_site.lib.problems import Problem

REASON_LENGTH = 200
_MOST_ROWS = 500
_CONFIRMED = "confirmed"

Act = Callable[[Any, HttpRequest, Any], object]
Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


class ReasonField(forms.CharField):
    """Why staff change what is a tenant's; the audit log tells it."""

    def __init__(self) -> None:
        super().__init__(
            label="Reason",
            max_length=REASON_LENGTH,
            help_text="The audit log tells it, to the tenant's people too. No personal data.",
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        )


class ReasonForm(forms.Form):
    reason = ReasonField()

    @classmethod
    def confirmed_in(cls, request: HttpRequest) -> Self:
        """Unbound, and so not valid, before staff have seen the question."""
        return cls(request.POST if _CONFIRMED in request.POST else None)


@dataclass(frozen=True)
class Deed:
    """What is done to each row; ``verb`` is on the button, ``done`` is told of it afterwards."""

    act: Act
    name: str
    question: str
    verb: str
    done: str
    is_dangerous: bool = False


def confirmed(
    question: str,
    *,
    verb: str,
    done: str,
    permissions: Iterable[str],
    is_dangerous: bool = False,
) -> Callable[[Act], Action]:
    """Make an action of what is to be done to one row, once staff have confirmed it with a reason.

    What is done writes its own audit record. A row that refuses, by a ``Problem``, is told, and
    the others go on.
    """

    def decorate(act: Act) -> Action:
        deed = Deed(act, act.__name__, question, verb, done, is_dangerous)

        @admin.action(description=question, permissions=list(permissions))
        @wraps(act)
        def action(
            self: ModelAdmin, request: HttpRequest, chosen: QuerySet[Any]
        ) -> HttpResponse | None:
            return _answer(deed, self, request, chosen)

        return action

    return decorate


def _answer(
    deed: Deed, model_admin: ModelAdmin, request: HttpRequest, chosen: QuerySet[Any]
) -> HttpResponse | None:
    rows = chosen_rows(model_admin, request, chosen)
    if rows is None:
        return None
    form = ReasonForm.confirmed_in(request)
    if not form.is_valid():
        return ask(deed, model_admin, request, rows, form)
    actor.explain(form.cleaned_data["reason"])
    acted = 0
    for row in rows:
        try:
            deed.act(model_admin, request, row)
            acted += 1
        except Problem as problem:
            told = f"{row.pk}: {problem.detail}"
            model_admin.message_user(request, told, messages.WARNING)
    if acted:
        model_admin.message_user(request, f"{acted} {deed.done}.", messages.SUCCESS)
    return None


def chosen_rows(
    model_admin: ModelAdmin, request: HttpRequest, chosen: QuerySet[Any]
) -> list[Any] | None:
    """None, and staff are told, where they are more than anybody looks through."""
    related = model_admin.list_select_related
    rows = list((chosen.select_related(*related) if related else chosen)[: _MOST_ROWS + 1])
    if len(rows) <= _MOST_ROWS:
        return rows
    model_admin.message_user(request, f"At most {_MOST_ROWS} at once.", messages.ERROR)
    return None


def ask(
    deed: Deed,
    model_admin: ModelAdmin,
    request: HttpRequest,
    rows: list[Any],
    form: ReasonForm,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": deed.question,
        "opts": model_admin.opts,
        "deed": deed,
        "rows": rows,
        "form": form,
        "checkbox": ACTION_CHECKBOX_NAME,
        "confirmed": _CONFIRMED,
    }
    return TemplateResponse(request, "admin/confirm.html", context)


class HasActions(ModelAdmin):
    """Offers its actions at each row's own page too: as buttons that lead to the same question."""

    list_select_related: Any = ()
    change_form_outer_before_template = "admin/parts/deeds.html"

    def fits(self, _action: str, _row: Any) -> bool:
        """Tell whether the action can do anything to the row, as it is."""
        return True

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        actions = self.get_actions(request) if row else {}
        context["deeds"] = [name for name in actions if self.fits(name, row)]
        context["checkbox"] = ACTION_CHECKBOX_NAME
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer
