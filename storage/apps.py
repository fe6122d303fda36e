from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models import QuerySet


class StorageConfig(AppConfig):
    name = "storage"

    def ready(self) -> None:
        """Tell the quotas what is stored."""
        # Models can't be imported before the apps are loaded.
        from accounts.quotas import hooks  # noqa: PLC0415
        from storage.models import File  # noqa: PLC0415

        def stored() -> QuerySet[Any]:
            return File.objects.all()

        hooks.stored = stored
