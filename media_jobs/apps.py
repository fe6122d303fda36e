from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import AppConfig


class MediaJobsConfig(AppConfig):
    name = "media_jobs"
    verbose_name = "Media jobs"

    def ready(self) -> None:
        """Fill the hooks that storage and the sandbox offer."""
        # Models can't be imported before the apps are loaded.
        from accounts.quotas import hooks as quota_hooks  # noqa: PLC0415
        from media_jobs import counted  # noqa: PLC0415
        from media_jobs.worker import (  # noqa: PLC0415
            outputs,
            private_places,
            probe,
            sandbox_reach,
        )
        from storage import hooks  # noqa: PLC0415

        def inspect(path: Path, tenant_id: str) -> dict[str, Any] | None:
            try:
                return probe.probe(path, tenant_id).to_json()
            except probe.TooMuch as much:
                raise hooks.Unreadable(much.detail, code=much.code) from much
            except probe.Unreadable as unreadable:
                raise hooks.Unreadable(unreadable.detail) from unreadable

        hooks.inspect = inspect
        hooks.in_use = outputs.in_use
        sandbox_reach.kept = private_places.named
        quota_hooks.open_work = counted.open_work
        quota_hooks.kept_rows = counted.kept_rows
        quota_hooks.announce = counted.announce
