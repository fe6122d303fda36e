from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings

from ffapi_site.lib.signing import sign_link
from storage.models import File


def download_url(file: File) -> str:
    """Make an absolute link to the file's bytes that needs no key and ends after a while."""
    token = sign_link(file.pk, lifetime_s=settings.DOWNLOAD_URL_LIFETIME_SECONDS)
    return f"{settings.PUBLIC_BASE_URL}/v1/files/{file.pk}/content?{urlencode({'token': token})}"
