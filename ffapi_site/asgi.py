from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
django.setup(set_prefix=False)

from ffapi_site.lib.streamed_body import StreamingASGIHandler  # noqa: E402 -- it reads settings

application = StreamingASGIHandler()
