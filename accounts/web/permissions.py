from __future__ import annotations

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.web.caller import Caller

ANY_KEY = ""  # stands in ``scopes`` where every valid key will do


class HasScope(BasePermission):
    """The key must hold what the view's ``scopes`` name for the method.

    A method that ``scopes`` does not name has no handler either; it ends as a 405.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        method = "GET" if request.method == "HEAD" else request.method
        scope = view.scopes.get(method, ANY_KEY)
        if scope:
            cast("Caller", request.user).require(scope)
        return True
