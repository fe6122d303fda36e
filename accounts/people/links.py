"""Links in mails, signed; a token for one purpose is none for another."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse


def sign(purpose: str, value: Any) -> str:
    return signing.dumps(value, salt=f"ffapi.people.{purpose}")


def read(purpose: str, token: str, *, lifetime_s: int | None = None) -> Any:
    """Give what the token says; None where it is not ours, for another purpose, or too old."""
    try:
        return signing.loads(token, salt=f"ffapi.people.{purpose}", max_age=lifetime_s)
    except signing.BadSignature:
        return None


def address(name: str, *args: str) -> str:
    """The whole address of a page, for who reads it outside of the site."""
    return f"{settings.PUBLIC_BASE_URL}{reverse(name, args=args)}"
