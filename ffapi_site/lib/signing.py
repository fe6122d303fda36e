from __future__ import annotations

import time

from django.core import signing

_SALT = "ffapi.link"


def sign_link(object_id: str, *, lifetime_s: int) -> str:
    """Make the token of a download link: it names one object and ends after ``lifetime_s``."""
    expires = int(time.time()) + lifetime_s
    return signing.Signer(salt=_SALT).sign_object([object_id, expires])


def check_link(token: str, object_id: str) -> bool:
    """Tell whether ``token`` was made for this object and has not ended."""
    try:
        signed_for, expires = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    return bool(signed_for == object_id and time.time() < expires)
