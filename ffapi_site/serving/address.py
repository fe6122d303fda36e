from __future__ import annotations

from urllib.parse import urlsplit

import httpx
from django.conf import settings

_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 -- recognised here, not bound


def local_client(**headers: str) -> httpx.Client:
    """Give a client that reaches this machine's web server under the site's public name."""
    host = "127.0.0.1" if settings.BIND in _EVERYWHERE else settings.BIND
    name = f"[{host}]" if ":" in host else host
    known_as = {"Host": urlsplit(settings.PUBLIC_BASE_URL).netloc}
    return httpx.Client(
        base_url=f"http://{name}:{settings.PORT}",
        headers=known_as | headers,
        timeout=60,
        trust_env=False,  # a proxy does not know this machine
    )
