from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from factory.declarations import Dict, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory, Password

from accounts import keys
from accounts.models import (
    ApiKey,
    Authenticator,
    BrowserSession,
    IdempotentRequest,
    Invitation,
    Membership,
    Plan,
    RateBucket,
    RecoveryCode,
    Tenant,
    UsageEntry,
    User,
)
from accounts.people import second_factor
from accounts.people.invitations import LIFETIME
from accounts.people.sessions import SessionStore
from accounts.roles import Role
from ffapi_site.lib.crypto import digest
from ffapi_site.lib.ids import new_id

PASSWORD = "correct horse battery staple"


class PlanFactory(DjangoModelFactory[Plan]):
    class Meta:
        model = Plan

    name = Sequence(lambda n: f"plan-{n}")
    limits = Dict({"max_jobs_per_day": 5})


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


class InvitationFactory(DjangoModelFactory[Invitation]):
    """One that can be accepted, without its mail."""

    class Meta:
        model = Invitation

    tenant = SubFactory(TenantFactory)
    email = Sequence(lambda n: f"invited-{n}@example.org")
    role = Role.VIEWER
    expires_at = LazyFunction(lambda: timezone.now() + LIFETIME)


class AuthenticatorFactory(DjangoModelFactory[Authenticator]):
    class Meta:
        model = Authenticator

    user = SubFactory(UserFactory)
    name = "authenticator"
    secret = LazyFunction(second_factor.new_secret)


class RecoveryCodeFactory(DjangoModelFactory[RecoveryCode]):
    """One that is counted; whoever wants to use one has `recovery.replace` make them."""

    class Meta:
        model = RecoveryCode

    user = SubFactory(UserFactory)
    digest = Sequence(lambda n: digest(f"recovery code {n}"))


class BrowserSessionFactory(DjangoModelFactory[BrowserSession]):
    """A person's session as its owner sees it in their list; nobody is signed in by it."""

    class Meta:
        model = BrowserSession

    session_key = Sequence(lambda n: f"{n:032}")
    session_data = LazyFunction(lambda: SessionStore().encode({}))
    expire_date = LazyFunction(lambda: timezone.now() + timedelta(days=1))
    public_id = LazyFunction(lambda: new_id("session"))
    user = SubFactory(UserFactory)


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


class IdempotentRequestFactory(DjangoModelFactory[IdempotentRequest]):
    """A first request that is under way: it has no answer."""

    class Meta:
        model = IdempotentRequest

    tenant = SubFactory(TenantFactory)
    key = Sequence(lambda n: f"request-{n}")
    fingerprint = Sequence(lambda n: f"{n:064x}")


class RateBucketFactory(DjangoModelFactory[RateBucket]):
    class Meta:
        model = RateBucket

    subject = Sequence(lambda n: f"subject-{n}")
    tokens = 1.0
    counted_at = LazyFunction(timezone.now)
    is_granted = True


class UsageEntryFactory(DjangoModelFactory[UsageEntry]):
    """A completed job's."""

    class Meta:
        model = UsageEntry

    tenant = SubFactory(TenantFactory)
    work_id = LazyFunction(lambda: new_id("job"))
    operation = "transcode"
    outcome = "completed"
    did_run = True
    submitted_at = LazyFunction(timezone.now)
