from __future__ import annotations

from django.http import HttpRequest

from media_jobs.models import Slot


def sandbox_warning(request: HttpRequest) -> dict[str, object]:
    """Tell staff, on every page, of slots that take jobs although their sandbox does not hold."""
    return {"has_overridden_sandbox": lambda: _is_for(request) and _is_overridden()}


def _is_for(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)  # a request refused at the door has none
    return user is not None and user.is_active and user.is_staff


def _is_overridden() -> bool:
    unsafe = Slot.objects.alive().filter(sandbox__level="none", sandbox__allowed=True)
    return unsafe.exists()
