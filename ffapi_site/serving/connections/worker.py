from __future__ import annotations

import resource
from typing import Any

from django.conf import settings
from gunicorn.workers import gasgi

from ffapi_site.serving.connections.crowd import Crowd
from ffapi_site.serving.connections.protocol import Connection

# A connection may have a file open besides; the database, logs and pipes need some as well.
_DESCRIPTORS_OF_ONE = 2
_DESCRIPTORS_BESIDES = 200


class Worker(gasgi.ASGIWorker):
    """Gunicorn's worker for ASGI, which bounds what its clients hold of it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.crowd = Crowd(
            most=min(settings.MAX_CONNECTIONS, _connections_possible()),
            most_of_one=settings.MAX_CONNECTIONS_PER_ADDRESS,
        )


# The base class takes its protocol from its module and offers no other way.
gasgi.ASGIProtocol = Connection


def _connections_possible() -> int:
    """Raise the limit of open files as far as it goes, and give the connections that fit in it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return int(settings.MAX_CONNECTIONS)
    return max(1, (hard - _DESCRIPTORS_BESIDES) // _DESCRIPTORS_OF_ONE)
