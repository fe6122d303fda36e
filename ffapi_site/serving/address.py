from __future__ import annotations

import errno
import socket
from urllib.parse import urlsplit

import httpx
from django.conf import settings

_OF_THE_PORT = (errno.EADDRINUSE, errno.EACCES)
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 -- recognised here, not bound


class NotFree(Exception):  # noqa: N818 -- a state, not a mistake
    """One can't listen there"""


def require_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            setting = "PORT" if error.errno in _OF_THE_PORT else "FFAPI_BIND"
            told = f"can't listen on {host}:{port} ({error.strerror}); choose another {setting}"
            raise NotFree(told) from error


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
