from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from accounts.admin_site import site as admin_site
from accounts.pages.sign_in import SignIn
from ffapi_site.error_codes import error_codes
from ffapi_site.observability import health
from ffapi_site.observability.metrics import metrics
from ffapi_site.openapi.pages import Reference, Schema, SwaggerUI

# Here, not as the apps are loaded: a slot, like most commands, has no admin.
admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("accounts.api.urls")),
    path("v1/", include("storage.api.urls")),
    path("v1/", include("media_jobs.api.urls")),
    path("v1/openapi.json", Schema.as_view(), name="openapi"),
    path("docs/", SwaggerUI.as_view(), name="api-docs"),
    path("docs/errors", error_codes, name="error-codes"),
    path("redoc/", Reference.as_view(), name="api-reference"),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("health/detailed", health.detailed),
    path("metrics", metrics),
    # There is one form for passwords; the admin's own would know of no second factor.
    path("admin/login/", SignIn.as_view()),
    path("admin/", admin_site.urls),
    # What browsers ask for where a page, or a plain answer, names no icon.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("img/mark.svg"))),
    path("", include("accounts.pages.urls")),
    path("", include("storage.pages.urls")),
    path("", include("media_jobs.pages.urls")),
]

handler400 = "ffapi_site.errors.bad_request"
handler403 = "ffapi_site.errors.permission_denied"
handler404 = "ffapi_site.errors.not_found"
handler500 = "ffapi_site.errors.server_error"
