from __future__ import annotations

from dataclasses import dataclass

from accounts.models import ApiKey, Tenant
from accounts.roles import allows
from ffapi_site.lib.problems import Forbidden


@dataclass(frozen=True)
class Caller:
    """Who sends a request: a tenant, by one of its keys."""

    tenant: Tenant
    api_key: ApiKey
    scopes: frozenset[str]
    is_authenticated: bool = True

    @classmethod
    def by_key(cls, key: ApiKey) -> Caller:
        return cls(key.tenant, key, key.scopes)

    def require(self, scope: str) -> None:
        """Raise ``Forbidden`` unless the key holds ``scope``."""
        if not allows(self.scopes, scope):
            role = self.api_key.role
            raise Forbidden(
                f"this needs the scope {scope}, which a key of the role {role} may lack",
                required_scope=scope,
                role=role,
            )
