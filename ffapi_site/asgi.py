from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
django.setup(set_prefix=False)

from django.urls import get_resolver  # noqa: E402 -- reads settings

from ffapi_site.lib.streamed_body import StreamingASGIHandler  # noqa: E402 -- as above

application = StreamingASGIHandler()
_ = get_resolver().url_patterns  # loads all views, once for all processes of the web server
