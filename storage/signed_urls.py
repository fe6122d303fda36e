from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings

from ffapi_site.lib.signing import sign_link
from storage.models import File


def download_path(file: File) -> str:
    """Make a link to the file's bytes within its host; it needs no key and ends after a while."""
    token = sign_link(file.pk, lifetime_s=settings.DOWNLOAD_URL_LIFETIME_SECONDS)
    return f"/v1/files/{file.pk}/content?{urlencode({'token': token})}"


def download_url(file: File) -> str:
    """Make the absolute link, under the host of media where there is one."""
    return f"{settings.MEDIA_ORIGIN or settings.PUBLIC_BASE_URL}{download_path(file)}"
