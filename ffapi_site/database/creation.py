from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

from django.db.backends.postgresql import creation

if TYPE_CHECKING:
    from ffapi_site.database.base import DatabaseWrapper


class DatabaseCreation(creation.DatabaseCreation):
    """Databases of tests: made and removed by the owner, used by the usual role."""

    def _as_owner(self) -> AbstractContextManager[None]:
        return cast("DatabaseWrapper", self.connection).as_owner()

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:
        with self._as_owner():
            name = super().create_test_db(*args, **kwargs)
        return str(name)

    def destroy_test_db(self, *args: Any, **kwargs: Any) -> None:
        with self._as_owner():
            super().destroy_test_db(*args, **kwargs)
