from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings

from ffapi_site.lib.signing import sign_link


def download_path(file_id: str) -> str:
    """Make a link to a file's bytes within its host; it needs no key and ends after a while."""
    token = sign_link(file_id, lifetime_s=settings.DOWNLOAD_URL_LIFETIME_SECONDS)
    return f"/v1/files/{file_id}/content?{urlencode({'token': token})}"


def download_url(file_id: str) -> str:
    """Make the absolute link, under the host of media where there is one."""
    return f"{settings.MEDIA_ORIGIN or settings.PUBLIC_BASE_URL}{download_path(file_id)}"
