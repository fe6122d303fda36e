"""Rows for tests, made by ``SomeFactory.create()``: each test states only what it is about."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.utils import timezone
from factory.declarations import Dict, LazyFunction, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory, Password

from accounts import keys
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.roles import Role
from media_jobs.models import Job, Status
from storage import store
from storage.models import File
from storage.models.file import Origin

PASSWORD = "correct horse battery staple"


class TenantFactory(DjangoModelFactory[Tenant]):
    class Meta:
        model = Tenant

    name = Sequence(lambda n: f"tenant-{n}")


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    username = Sequence(lambda n: f"user-{n}")
    password = Password(PASSWORD)


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = SubFactory(UserFactory)
    tenant = SubFactory(TenantFactory)
    role = Role.DEVELOPER


class ApiKeyFactory(DjangoModelFactory[ApiKey]):
    """A key whose text is left in ``key.text``, used before from where tests send."""

    class Meta:
        model = ApiKey

    tenant = SubFactory(TenantFactory)
    name = Sequence(lambda n: f"key {n}")
    role = Role.DEVELOPER
    scopes = ()

    @classmethod
    def _create(cls, model_class: type[ApiKey], *_args: Any, **fields: Any) -> ApiKey:
        revoked_at = fields.pop("revoked_at", None)
        fields.setdefault("known_addresses", ["127.0.0.1"])  # where tests send from
        key, text = keys.issue(fields.pop("tenant"), **fields)
        if revoked_at:
            model_class.objects.filter(pk=key.pk).update(revoked_at=revoked_at)
        vars(key)["text"] = text
        return key


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


class JobFactory(DjangoModelFactory[Job]):
    """A queued job, as ``jobs.submit`` leaves one; without its token.

    ``running=True``, ``completed=True``, ``failed=True``, ``canceled=True`` make it one of those.
    """

    class Meta:
        model = Job

    class Params:
        running = Trait(
            status=Status.RUNNING,
            attempt=1,
            started_at=LazyFunction(timezone.now),
            lease_until=LazyFunction(lambda: timezone.now() + timedelta(minutes=1)),
        )
        completed = Trait(status=Status.COMPLETED, finished_at=LazyFunction(timezone.now))
        failed = Trait(status=Status.FAILED, finished_at=LazyFunction(timezone.now))
        canceled = Trait(status=Status.CANCELED, finished_at=LazyFunction(timezone.now))

    tenant = SubFactory(TenantFactory)
    operation = "transcode"
    params = Dict({"input": "https://example.org/a.mp4"})
