"""The site's settings, and one address more: a bare view to compare with."""

from __future__ import annotations

from ffapi_site.settings import *  # noqa: F403 -- all of them

ROOT_URLCONF = "bench.urls"
