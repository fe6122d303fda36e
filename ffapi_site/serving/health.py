"""``python -m ffapi_site.serving.health``: exit 0 where the web server of this machine lives."""

from __future__ import annotations

import sys

import httpx

from ffapi_site.serving.address import local_client


def is_alive() -> bool:
    with local_client() as client:
        try:
            return client.get("/health/live", timeout=5).is_success
        except httpx.HTTPError:
            return False


if __name__ == "__main__":
    sys.exit(0 if is_alive() else 1)
