from __future__ import annotations

from django.http import HttpRequest

from media_jobs.models import Slot


def sandbox_warning(request: HttpRequest) -> dict[str, object]:
    """Tell staff, on every page, of slots that take jobs although their sandbox does not hold."""
    return {"has_overridden_sandbox": lambda: _has_to_be_told(request)}


def _has_to_be_told(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)  # a request refused at the door has none
    if user is None or not (user.is_active and user.is_staff):
        return False
    return Slot.objects.alive().filter(sandbox__level="none", sandbox__allowed=True).exists()
