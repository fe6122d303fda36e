from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from accounts import actor
from accounts.admin.confirming import ReasonForm
from accounts.admin_site import ReadOnly, site
from media_jobs.engine import lanes
from media_jobs.models import PausedLane

_LIST = "admin:media_jobs_pausedlane_changelist"


VERBS: Final = {"pause", "drain", "resume"}


@admin.register(PausedLane, site=site)
class LaneAdmin(ReadOnly, ModelAdmin):
    """All lanes, paused or not: what is stored is only which are paused."""

    def get_urls(self) -> list[URLPattern]:
        steer = path(
            "<slug:lane>/<slug:verb>",
            self.admin_site.admin_view(self.steer),
            name="media_jobs_pausedlane_steer",
        )
        return [steer, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self._context(request, "Lanes"),
            "lanes": lanes.overview(),
            "may_steer": self._may_steer(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/lanes.html", context)

    def steer(self, request: HttpRequest, lane: str, verb: str) -> HttpResponse:
        """Ask, and then do it."""
        if not self._may_steer(request):
            raise PermissionDenied
        if verb not in VERBS or lane not in {each.name for each in lanes.overview()}:
            raise Http404
        form = ReasonForm.confirmed_in(request)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            actor.explain(reason)
            if verb == "pause":
                lanes.pause(lane, reason)
                came_of_it = f"{lane} takes no further jobs; {lanes.running(lane)} running."
            elif verb == "drain":
                left = lanes.drain(lane, reason)
                came_of_it = f"{lane} is drained once {left} running jobs have ended."
            else:
                was_paused = lanes.resume(lane)
                came_of_it = (
                    f"{lane} takes jobs again." if was_paused else f"{lane} was not paused."
                )
            messages.success(request, came_of_it)
            return redirect(_LIST)
        context = {
            **self._context(request, f"{verb.capitalize()} the lane {lane}"),
            "lane": lane,
            "verb": verb,
            "form": form,
        }
        return TemplateResponse(request, "admin/steer_lane.html", context)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title}

    def _may_steer(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.change_pausedlane")
