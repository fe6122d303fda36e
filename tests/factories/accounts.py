from __future__ import annotations

from typing import Any

from factory.declarations import Sequence, SubFactory
from factory.django import DjangoModelFactory, Password

from accounts import keys
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.roles import Role

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
