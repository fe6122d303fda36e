"""Gunicorn's configuration, the same under ``manage.py serve`` and in a container."""

from __future__ import annotations

import gc
import os
import shutil
from tempfile import mkdtemp
from typing import Any

# A request's thread lives as long as the request: connections are pooled in the web server only.
os.environ.setdefault("FFAPI_DATABASE_POOL", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
# Where the processes leave their counters, so that any of them can tell those of all.
_counters = os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", mkdtemp(prefix="ffapi-metrics-"))

from django.conf import settings  # noqa: E402 -- reads the environment made above
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402 -- as above

wsgi_app = "ffapi_site.asgi:application"
worker_class = "ffapi_site.serving.connections.worker.Worker"
workers = settings.WEB_PROCESSES
preload_app = True  # loaded once, and shared by the processes
bind = f"{settings.BIND}:{settings.PORT}"
proc_name = "ffapi-web"
graceful_timeout = 5  # idle and waiting clients hold it up for so long
keepalive = 75  # longer than a proxy keeps its end, or it would write into closed connections
control_socket_disable = True  # it would be one socket for all servers of a user
# Bodies are spooled before a view sees them; /tmp may be small or in memory.
raw_env = [f"TMPDIR={settings.FILE_UPLOAD_TEMP_DIR}"]


def when_ready(_server: Any) -> None:
    gc.collect()
    gc.freeze()  # a collection writes to what it looks at, which ends the sharing


def child_exit(_server: Any, worker: Any) -> None:
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    shutil.rmtree(_counters, ignore_errors=True)
