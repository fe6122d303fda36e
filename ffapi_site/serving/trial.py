"""``python -m ffapi_site.serving.trial``: whether whoever runs this can run the web server.

With ``--confine`` also whether its ffprobe can be confined.
Silent where all is well; else it ends with 1, and its last line says what is missing.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

CONFINE: Final = "--confine"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
    counters = os.environ.pop("PROMETHEUS_MULTIPROC_DIR", "")  # or we would count in there
    if counters and not os.access(counters, os.W_OK | os.X_OK):
        sys.exit(f"can't write to {counters}")
    try:
        import_module("ffapi_site.asgi")  # sets Django up
        import_module("gunicorn.app.wsgiapp")
        from django.conf import settings  # noqa: PLC0415 -- they are read above
        from django.db import connection  # noqa: PLC0415 -- as above

        from ffapi_site.serving import address  # noqa: PLC0415 -- as above
        from media_jobs.sandbox import layers  # noqa: PLC0415 -- as above

        import_module(settings.ROOT_URLCONF)
        if CONFINE in sys.argv:
            layers.require()
        os.scandir(settings.STATIC_ROOT).close()
        address.require_free(settings.BIND, settings.PORT)
        connection.ensure_connection()
    except Exception as error:  # noqa: BLE001 -- whatever it is: it is what is missing
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
