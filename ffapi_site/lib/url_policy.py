from __future__ import annotations

from django.conf import settings

from ffapi_site.lib.netguard import Policy


def url_policy() -> Policy:
    """Which users' addresses this installation opens."""
    return Policy(allow_private=settings.ALLOW_PRIVATE_IPS, allowlist=settings.URL_ALLOWLIST)
