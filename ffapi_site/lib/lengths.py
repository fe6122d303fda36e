"""How long things may be: said once, by the column that keeps them, and asked for here."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Model


@cache
def length_of(model: type[Model], column: str) -> int:
    """How many characters a column holds; of a list, how many each of its items may have."""
    field: Any = model._meta.get_field(column)  # noqa: SLF001 -- public, by its documentation
    if isinstance(field, ArrayField):
        field = field.base_field
    if not isinstance(field, CharField) or field.max_length is None:
        raise TypeError(f"{model.__name__}.{column} has no length")
    return field.max_length


def fitted(model: type[Model], column: str, told: object) -> str:
    """Make of what an exception or a far end says what the column holds of it.

    It is cut, and characters that PostgreSQL's text can't hold are replaced.
    """
    readable = str(told).replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return readable[: length_of(model, column)]
