from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.utils import timezone
from factory.declarations import Sequence, SubFactory
from factory.django import DjangoModelFactory

from storage import store
from storage.models import File
from storage.models.file import Origin
from tests.factories.accounts import TenantFactory


class FileFactory(DjangoModelFactory[File]):
    """A published file with real bytes: ``content`` is what it holds."""

    class Meta:
        model = File

    tenant = SubFactory(TenantFactory)
    name = Sequence(lambda n: f"clip-{n}.mp4")
    origin = Origin.UPLOAD
    content = b"bytes of a file"
    published_at = None

    @classmethod
    def _create(cls, model_class: type[File], *_args: Any, **fields: Any) -> File:
        published_at = fields.pop("published_at") or timezone.now()
        with NamedTemporaryFile(delete=False) as made:
            made.write(fields.pop("content"))
        file = store.add(fields.pop("tenant").pk, Path(made.name), **fields)
        model_class.objects.filter(pk=file.pk).update(published_at=published_at)
        return model_class.objects.get(pk=file.pk)
