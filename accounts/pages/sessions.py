from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.people import sessions
from accounts.web.person_page import PersonPage


class SessionList(PersonPage):
    """Where somebody is signed in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render(
            "people/sessions.html",
            sessions=sessions.live(self.user),
            current=sessions.current_id(request),
        )


class RevokeSession(PersonPage):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        if session_id == sessions.current_id(request):
            logout(request)
            return redirect("login")
        if not sessions.revoke(self.user, session_id):
            raise Http404
        messages.success(request, "That session has ended.")
        return redirect("sessions")


class RevokeOthers(PersonPage):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        number = sessions.revoke_others(request, self.user)
        messages.success(request, f"Ended: {number}. You are signed in here only.")
        return redirect("sessions")
