"""What lies on this host that no FFmpeg may see, wherever settings have put it."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from media_jobs.sandbox.allowed_paths import Private

_SECRETS_BY_FILE = ("SECRET_KEY", "API_KEY_PEPPER", "ENCRYPTION_KEYS", "OIDC_CLIENT_SECRET")


def named() -> list[Private]:
    """Asked at each start of a process: tests, and only they, move some of these."""
    data = settings.DATA_DIR
    by_file = {name: os.environ.get(f"{name}_FILE") for name in _SECRETS_BY_FILE}
    return [
        Private("site", settings.BASE_DIR, holds_others=True),
        Private("data", data, holds_others=True),
        Private("media", settings.MEDIA_ROOT),
        Private("scratch", settings.SCRATCH_DIR),
        Private("uploads", Path(settings.FILE_UPLOAD_TEMP_DIR)),
        Private("secrets", data / "secrets"),
        Private("database", data / "postgres"),
        Private("checkpoints", Path(settings.AUDIT_CHECKPOINT_DIR)),
        Private("signing_key", Path(settings.AUDIT_SIGNING_KEY_FILE)),
        Private("env", settings.BASE_DIR / ".env"),
        *(Private(name.lower(), Path(path)) for name, path in by_file.items() if path),
    ]
