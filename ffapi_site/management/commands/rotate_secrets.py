from __future__ import annotations

from collections import Counter
from typing import Any

from django.apps import apps
from django.core.management import BaseCommand, CommandError
from django.db.models import F, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from ffapi_site.lib.crypto import EncryptedTextField, Undecipherable, is_fresh, refreshed


class Command(BaseCommand):
    help = (
        "Encrypt all stored secrets with the first of ENCRYPTION_KEYS. Run it after a new one was "
        "put in front; the old ones can go once it says that nothing is left. It can be stopped "
        "and run again at any time, while the site runs."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        left = 0
        for model in apps.get_models():
            for field in model._meta.get_fields():  # noqa: SLF001 -- documented
                if isinstance(field, EncryptedTextField):
                    left += self._rotate(model, field.name)
        if left:
            raise CommandError(
                f"{left} secrets are under none of ENCRYPTION_KEYS: give their key as well"
            )

    def _rotate(self, model: type[Model], name: str) -> int:
        """Encrypt one column anew; give the number of values that no key opens."""
        found: Counter[str] = Counter()
        for row in _encrypted(model, name).values_list("pk", "token").iterator(chunk_size=500):
            found[_rotated(model, name, *row)] += 1
        told = ", ".join(f"{found[word]} {word}" for word in ("rotated", "fresh", "unreadable"))
        label = model._meta.label  # noqa: SLF001 -- documented
        self.stdout.write(f"{label}.{name}: {told}")
        return found["unreadable"]


def _encrypted(model: type[Model], name: str) -> QuerySet[Any]:
    """Rows with the column as it is stored: annotated as text it is not decrypted."""
    manager = model._base_manager  # noqa: SLF001 -- documented
    rows = manager.annotate(token=Cast(F(name), TextField()))
    return rows.exclude(token="").exclude(token=None)


def _rotated(model: type[Model], name: str, pk: Any, token: str) -> str:
    if is_fresh(token):
        return "fresh"
    try:
        value = Value(refreshed(token), output_field=TextField())
    except Undecipherable:
        return "unreadable"
    # Where the site wrote another value meanwhile, that one is fresh.
    _encrypted(model, name).filter(pk=pk, token=token).update(**{name: value})
    return "rotated"
