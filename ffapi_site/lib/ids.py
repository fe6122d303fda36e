from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import DatabaseDefault

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u
_LENGTH = 26
_FORM = re.compile(rf"[a-z]+_[{_ALPHABET}]{{{_LENGTH}}}")


def new_id(prefix: str) -> str:
    """Make a public id: ``prefix``, ``_`` and 26 characters that sort by time of making.

    48 bits of Unix milliseconds, then 80 random bits (the layout of a ULID).
    """
    return _text(prefix, (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80))


def lowest_id(prefix: str, moment: datetime) -> str:
    """The id that is below those made at ``moment`` or later, and above those made before."""
    return _text(prefix, int(moment.timestamp() * 1000) << 80)


def _text(prefix: str, number: int) -> str:
    digits = [_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def made_at(public_id: str) -> datetime:
    """Tell when an id was made, to the millisecond."""
    number = 0
    for digit in public_id[-_LENGTH:]:
        number = number << 5 | _ALPHABET.index(digit)
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=number >> 80)


def is_public_id(text: str) -> bool:
    """Tell whether ``text`` could be an id at all; what can't is not looked up."""
    return _FORM.fullmatch(text) is not None


def refuse_public_id(name: str) -> None:
    """Validate what people call something: it must not pass for the id of something else."""
    if is_public_id(name):
        raise ValidationError("This looks like an id: choose another name.")


class PublicIdField(models.CharField[str, str]):
    """The primary key of everything that a URL can name: the same text in URL, JSON and column."""

    def __init__(self, *, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        options.update(
            max_length=len(prefix) + 1 + _LENGTH,
            primary_key=True,
            editable=False,
            default=partial(new_id, prefix),
        )
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, options = super().deconstruct()
        for implied in ("max_length", "primary_key", "editable", "default"):
            options.pop(implied, None)
        return name, path, args, options | {"prefix": self.prefix}


class MadeAtField(models.DateTimeField[datetime, datetime]):
    """The time that the row's public id was made at, so that rows sort alike by both.

    To the database it is a ``DateTimeField`` like any other; its default there is for what is
    written without Django.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 -- Django's signature
        given = getattr(model_instance, self.attname)
        if add and (given is None or isinstance(given, DatabaseDefault)):
            setattr(model_instance, self.attname, made_at(str(model_instance.pk)))
        return getattr(model_instance, self.attname)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, options
