"""Nobody makes a key that may do more than they may themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.conf import settings

from accounts.keys.networks import is_within
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.roles import beyond
from ffapi_site.lib.problems import Forbidden


@dataclass(frozen=True)
class Authority:
    """What somebody who manages keys holds themselves: a person, or another key."""

    scopes: frozenset[str]
    person: User | None = None
    key: ApiKey | None = None

    @classmethod
    def of_key(cls, key: ApiKey) -> Self:
        return cls(key.scopes, key.created_by, key)

    def is_followed_in(self, tenant: Tenant) -> bool:
        """Do keys that are made now end with the membership of who stands behind them?"""
        if self.key is not None:
            return self.key.follows_creator
        members = Membership.objects.filter(tenant=tenant, user=self.person)
        return self.person is not None and members.exists()

    def require_making(self) -> None:
        """Raise ``Forbidden`` for a key with a quota: what it made would count from nothing."""
        if self.key and self.key.quota:
            raise _exceeded("one with a quota of its own makes no others, which would count anew")

    def require_scopes(self, scopes: frozenset[str]) -> None:
        """Raise ``Forbidden`` where ``scopes`` are more than those held here."""
        if missing := beyond(scopes, self.scopes):
            refusal = _exceeded(f"you do not hold {', '.join(missing)}")
            refusal.members["required_scope"] = missing[0]
            raise refusal

    def require_expiry(self, expires_at: datetime | None) -> None:
        bound = self.key.expires_at if self.key else None
        if bound and (expires_at is None or expires_at > bound):
            raise _exceeded("it would outlive the key that it is made with")

    def require_addresses(self, allowed_ips: tuple[str, ...]) -> None:
        if self.key and not is_within(allowed_ips, self.key.allowed_ips):
            raise _exceeded("it would be usable from more addresses than the key it is made with")

    def require_rate(self, rate_limit_per_minute: int | None) -> None:
        own = self.key.rate_limit_per_minute if self.key else None
        granted = own or int(settings.RATE_LIMIT_REQUESTS_PER_MINUTE)
        is_unbound = own is not None and rate_limit_per_minute is None
        if is_unbound or (rate_limit_per_minute or 0) > granted:
            raise _exceeded(f"it would have more than {granted} requests a minute")

    def require_quota(self, quota: Mapping[str, int | None]) -> None:
        bounds = self.key.quota if self.key else {}
        for name, bound in bounds.items():
            limit = quota.get(name)
            if bound is not None and (limit is None or limit > bound):
                raise _exceeded(f"{name} would be more than that of the key it is made with")


def _exceeded(why: str) -> Forbidden:
    return Forbidden(f"a key holds at most what its maker holds: {why}", code="key_exceeds_maker")
