"""Gunicorn's configuration, the same under ``manage.py serve`` and in a container."""

from __future__ import annotations

import os

# A request's thread lives as long as the request: connections are pooled in the web server only.
os.environ.setdefault("FFAPI_DATABASE_POOL", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")

from django.conf import settings  # it reads the environment made above

wsgi_app = "ffapi_site.asgi:application"
worker_class = "asgi"
workers = settings.WEB_PROCESSES
bind = f"{settings.BIND}:{settings.PORT}"
proc_name = "ffapi-web"
graceful_timeout = 10
control_socket_disable = True  # it would be one socket for all servers of a user
# Bodies are spooled before a view sees them; /tmp may be small or in memory.
raw_env = [f"TMPDIR={settings.FILE_UPLOAD_TEMP_DIR}"]
