from __future__ import annotations

import time
from contextlib import suppress

import httpx
import psutil

from ffapi_site.lib import starts
from ffapi_site.serving.address import local_client


class NotReady(Exception):  # noqa: N818 -- a state, not a mistake
    """The site did not become ready"""


def wait(supervisor: psutil.Process, start: str, *, within_s: float) -> None:
    """Return once ``/health/ready`` says yes, in the name of this ``start`` of the site.

    Another one may have taken the port in the meantime, and be ready itself.
    """
    deadline = time.monotonic() + within_s
    told = "no answer yet"
    with local_client() as client:
        while time.monotonic() < deadline:
            with suppress(psutil.TimeoutExpired):
                raise NotReady(f"the supervisor ended with status {supervisor.wait(0)}")
            try:
                answer = client.get("/health/ready", timeout=5)
            except httpx.HTTPError as error:
                told = str(error)
            else:
                is_ready = answer.status_code == httpx.codes.OK
                if is_ready and answer.headers.get(starts.HEADER) == start:
                    return
                other = f"another server answers at {client.base_url}; choose another PORT"
                told = other if is_ready else answer.text[:500]
            time.sleep(0.2)
    raise NotReady(f"not ready after {within_s:g} s: {told}")
