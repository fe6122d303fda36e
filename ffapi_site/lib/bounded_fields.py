"""Columns of no fixed width, each with the bound that it is declared with.

Whoever writes such a column by Django, with ``save``, ``update`` or ``bulk_create``, meets the
bound here. It is ours and not the database's: to change it takes no migration.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from ffapi_site.lib.shorten import fits, shorten, without_middle


class TooLong(ValueError):  # noqa: N818 -- a verdict
    """What should have been refused where it came in"""


class BoundedJSONField(models.JSONField):
    """JSON of at most ``most_bytes``. More of it is cut where it ``cuts``, else `TooLong`.

    What we write ourselves is cut, what somebody asked for never is.
    """

    def __init__(self, *args: Any, most_bytes: int, cuts: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most_bytes = most_bytes
        self.cuts = cuts

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        return str(name), "django.db.models.JSONField", args, kwargs

    def clone(self) -> Any:
        return models.JSONField(**super().deconstruct()[3])

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is not None and not hasattr(value, "as_sql"):
            value = self._bounded(value)
        return super().get_db_prep_save(value, connection)

    def _bounded(self, value: Any) -> Any:
        if self.cuts:
            return shorten(value, self.most_bytes)
        if not fits(value, self.most_bytes):
            raise TooLong(f"{self.name} holds at most {self.most_bytes} bytes")
        return value


class BoundedTextField(models.TextField[str, str]):
    """Text of at most ``most_bytes`` in UTF-8; of a longer one the middle is left out."""

    def __init__(self, *args: Any, most_bytes: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most_bytes = most_bytes

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        return str(name), "django.db.models.TextField", list(args), kwargs

    def clone(self) -> Any:
        return models.TextField(**super().deconstruct()[3])

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str):
            value = without_middle(value, self.most_bytes)
        return super().get_db_prep_save(value, connection)
