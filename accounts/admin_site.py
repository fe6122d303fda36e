"""The admin's own site: only what our apps register, behind a content policy of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from accounts import actor
from accounts.models import User
from ffapi_site.lib import scope

# The theme computes with Alpine expressions and writes its palette into a <style>; nothing else
# is loosened, and no other page is.
_allow_theme = csp_update({"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]})


def _as_staff(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let staff see all rows, to the end of the request: the page is rendered after the view."""

    @wraps(view)
    def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        scope.enter(scope.EVERY_TENANT)
        actor.identify(actor.Kind.STAFF, str(request.user.pk), request.user.get_username())
        return view(request, *args, **kwargs)

    return entered


class AdminSite(UnfoldAdminSite):
    site_title = site_header = "FFAPI"
    index_title = "Administration"
    site_url = "/"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:  # noqa: FBT001, FBT002 -- Django's signature
        return _allow_theme(super().admin_view(_as_staff(view), cacheable))

    def has_permission(self, request: HttpRequest) -> bool:
        """Let staff in who proved their second factor; without it they aren't even known here."""
        user = request.user
        return isinstance(user, User) and super().has_permission(request) and user.is_verified()

    def password_change(self, *_: Any, **__: Any) -> HttpResponse:
        return redirect("change_password")


site = AdminSite(name="admin")


class Kept:
    """Rows that the admin doesn't delete."""

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False


class ReadOnly(Kept):
    """Rows to look at: they change only by what the product does."""

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    list_fullwidth = True
