from __future__ import annotations

import subprocess
import time
from urllib.parse import urlsplit

import httpx
from django.conf import settings


class NotReady(Exception):  # noqa: N818 -- a state, not a mistake
    """The site did not become ready"""


def wait(supervisor: subprocess.Popen[bytes], *, within_s: float) -> None:
    """Return once ``/health/ready`` says yes."""
    deadline = time.monotonic() + within_s
    told = "no answer yet"
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            raise NotReady(f"the supervisor ended with status {supervisor.returncode}")
        ready, told = _ask()
        if ready:
            return
        time.sleep(0.2)
    raise NotReady(f"not ready after {within_s:g} s: {told}")


def _ask() -> tuple[bool, str]:
    host = "127.0.0.1" if settings.BIND in ("", "0.0.0.0", "::") else settings.BIND  # noqa: S104
    known_as = urlsplit(settings.PUBLIC_BASE_URL).netloc
    try:
        answer = httpx.get(
            f"http://{host}:{settings.PORT}/health/ready", headers={"Host": known_as}, timeout=5
        )
    except httpx.HTTPError as error:
        return False, str(error)
    return answer.status_code == httpx.codes.OK, answer.text[:500]
