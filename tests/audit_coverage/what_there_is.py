"""Every way to change something: by the URL configuration and by the registry of the admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic import RedirectView

from accounts.admin_site import site
from accounts.models import User

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_OF_EACH_MODEL = ("changelist", "add", "change", "delete", "history")


def _patterns(patterns: Any, path: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        here = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, here)
        else:
            yield here, pattern


def _methods(pattern: URLPattern) -> Iterator[str]:
    """A function may take any; so each of those needs to be looked at."""
    view = getattr(pattern.callback, "view_class", None)
    if view is not None and issubclass(view, RedirectView):
        return
    for method in CHANGING:
        if view is None:
            if method == "POST":
                yield method
        elif method.lower() in view.http_method_names and hasattr(view, method.lower()):
            yield method


def _is_a_model_s(name: str) -> bool:
    models = [f"{meta.app_label}_{meta.model_name}" for meta in (m._meta for m in site._registry)]
    return any(name == f"{model}_{view}" for model in models for view in _OF_EACH_MODEL)


def routes() -> Iterator[str]:
    """``POST name-of-the-route``; what the admin makes of each model is in `admin_acts`."""
    for path, pattern in _patterns(get_resolver().url_patterns):
        is_admin = path.startswith("/admin/")
        if is_admin and pattern.name and _is_a_model_s(pattern.name):
            continue
        name = f"admin:{pattern.name}" if is_admin and pattern.name else pattern.name or path
        for method in _methods(pattern):
            yield f"{method} {name}"


def admin_acts() -> Iterator[str]:
    """``add accounts.tenant`` and the like, as a superuser may do them."""
    request = RequestFactory().get("/admin/")
    request.user = User(is_staff=True, is_superuser=True, is_active=True)
    assert not isinstance(request.user, AnonymousUser)
    for model, model_admin in site._registry.items():
        label = model._meta.label_lower
        for act in ("add", "change", "delete"):
            if getattr(model_admin, f"has_{act}_permission")(request):
                yield f"{act} {label}"
        for action in model_admin.get_actions(request):
            yield f"{action} {label}"
