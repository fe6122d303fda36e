from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from bench.bare_view import BareInsert
from ffapi_site import urls

urlpatterns: list[URLPattern | URLResolver] = [
    path("bench/rows", BareInsert.as_view()),
    *urls.urlpatterns,
]
