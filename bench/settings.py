"""The site's settings, and one address more: a bare view to compare with."""

from __future__ import annotations

from ffapi_site.settings import *  # noqa: F403 -- all of them

ROOT_URLCONF = "bench.urls"

# It would count the bare view's requests in the database: the yardstick must not get longer.
MIDDLEWARE = [name for name in MIDDLEWARE if "address_limit" not in name]  # noqa: F405 -- as above
