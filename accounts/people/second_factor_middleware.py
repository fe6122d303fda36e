from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from accounts.people import second_factor


class SecondFactorMiddleware:
    """Who has yet to prove the second factor that they need is a stranger, to everything.

    So no page, view or check has to ask for it. Only the sign-in looks at who it may become:
    ``entry.candidate``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        half_known = request.user
        request.user = SimpleLazyObject(lambda: _admitted(half_known))  # type: ignore[assignment]
        return self.get_response(request)


def _admitted(user: User | AnonymousUser) -> User | AnonymousUser:
    if not isinstance(user, User) or user.is_verified():
        return user
    return AnonymousUser() if second_factor.is_needed(user) else user
