from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base

from ffapi_site.embedded import server


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL back end, on a server that the first connection starts."""

    def get_connection_params(self) -> dict[str, Any]:
        self.settings_dict["HOST"] = server.socket_folder(Path(self.settings_dict["FOLDER"]))
        return super().get_connection_params()
