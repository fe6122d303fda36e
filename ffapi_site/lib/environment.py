from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


def secret(name: str, *, keep_in: Path | None) -> str:
    """Read a secret from ``NAME``, or from the file that ``NAME_FILE`` names.

    Without either, one is made and kept under ``keep_in`` (mode 0600); where ``keep_in`` is None
    several hosts must agree on it, so the start stops instead.
    """
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    if keep_in is None:
        raise ImproperlyConfigured(f"set {name} or {name}_FILE: with DATABASE_URL it can't be made")
    return _kept(keep_in / name.lower())


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_suffix(f".{secrets.token_hex(4)}")
    made.touch(mode=0o600)
    made.write_text(secrets.token_urlsafe(48))
    try:
        os.link(made, path)  # fails where another process was first: then its secret holds
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path.read_text()


def mail_server(env: environ.Env, name: str) -> dict[str, Any]:
    """Read a mail server, ``smtp+tls://user:password@host:587``, into Django's settings of it."""
    try:
        read = dict(env.email_url(name, default="dummymail://"))
    except (ValueError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} is not a mail server's address: {error}") from error
    usual = 465 if "EMAIL_USE_SSL" in read else 587 if "EMAIL_USE_TLS" in read else 25
    return read | {"EMAIL_PORT": read["EMAIL_PORT"] or usual}
