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
        # The limit of open files is raised as far as it goes; no more connections than fit in it.
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        most = settings.MAX_CONNECTIONS
        if hard != resource.RLIM_INFINITY:
            most = min(most, max(1, (hard - _DESCRIPTORS_BESIDES) // _DESCRIPTORS_OF_ONE))
        self.crowd = Crowd(most=most, most_of_one=settings.MAX_CONNECTIONS_PER_ADDRESS)


# The base class takes its protocol from its module and offers no other way.
gasgi.ASGIProtocol = Connection
