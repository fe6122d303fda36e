"""The back end that settings name as ENGINE.

Settings of its own in ``DATABASES``: ``FOLDER`` of an embedded server, and ``OWNER``, the name and
password of the role that owns the tables where that is not the one that works with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from ffapi_site.database import embedded
from ffapi_site.database.creation import DatabaseCreation
from ffapi_site.lib import scope

_STILL_AWAY_S = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    creation_class = DatabaseCreation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: str | None = None
        self._away_at = float("-inf")
        self._usual: dict[str, str] = {}
        self.execute_wrappers.append(self._within_scope)

    def get_connection_params(self) -> dict[str, Any]:
        if folder := self.settings_dict.get("FOLDER"):
            self._require_site(Path(folder))
            self.settings_dict["HOST"] = embedded.socket_folder(Path(folder))
        return super().get_connection_params()

    def _require_site(self, folder: Path) -> None:
        """Make no server for who couldn't sign in to it: its owner makes the usual role."""
        owner = self.settings_dict.get("OWNER")
        if owner and owner["USER"] != self.settings_dict["USER"] and not folder.exists():
            raise psycopg.OperationalError(
                f"There is no site in {folder.parent} yet: `make serve` makes one. "
                "Where it has another folder, say so by FFAPI_DATA_DIR"
            )

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; one that waited for the pool in vain does not wait again a moment later.

        Or a request that asks a few times would be told a few time-outs after it could be.
        """
        if not self.settings_dict["OPTIONS"].get("pool"):
            return super().get_new_connection(conn_params)
        if time.monotonic() < self._away_at + _STILL_AWAY_S:
            raise psycopg.OperationalError("the database was away a moment ago")
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            self._away_at = time.monotonic()
            raise

    def init_connection_state(self) -> None:
        self._told = None
        super().init_connection_state()

    @property
    def usual_role(self) -> dict[str, str]:
        """``USER`` and ``PASSWORD`` of whoever works with the tables."""
        return self._usual or {name: self.settings_dict[name] for name in ("USER", "PASSWORD")}

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """Connect as the tables' owner, for migrations: the usual role may not change them."""
        owner = self.settings_dict.get("OWNER")
        if self._usual or not owner:
            yield
            return
        self._usual = self.usual_role
        self._reconnect_as(owner)
        try:
            yield
        finally:
            self._reconnect_as(self._usual)
            self._usual = {}

    def _reconnect_as(self, role: dict[str, str]) -> None:
        self.close()
        self.close_pool()
        self.settings_dict.update(role)

    def _within_scope(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001 -- Django's signature
        context: Any,
    ) -> Any:
        """Tell PostgreSQL the scope where it is another than it was told last.

        For the session: a transaction of its own around each query would cost two more statements.
        """
        wanted = scope.current()
        if wanted != self._told and not self._has_failed():
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute("SELECT set_config('ffapi.tenant', %s, false)", [wanted])
            self._told = wanted
        return execute(sql, params, many, context)

    # What was told within a transaction is undone with it.

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]  # not in the stubs
        self._told = None

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]  # not in the stubs
        self._told = None

    def _has_failed(self) -> bool:
        """Is the transaction one in which nothing but a rollback is taken any more?"""
        return bool(self.connection.info.transaction_status == TransactionStatus.INERROR)
