"""Keys as they are asked for, over the API and on the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.utils import timezone
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
)

from accounts.keys.changes import LONGEST_LIFE, Wanted
from accounts.keys.networks import network
from accounts.models import ApiKey
from accounts.roles import EVERYTHING, ROLE_SCOPES, SCOPES, Role, beyond
from ffapi_site.lib.lengths import length_of

LONGEST_OVERLAP_S = 30 * 24 * 3600
_BOUNDS = ("expires_at", "allowed_ips", "rate_limit_per_minute", "quota")


def _printable(text: str) -> str:
    stripped = text.strip()
    if not stripped or not stripped.isprintable():
        raise ValueError("a text is needed, without line breaks and others that can't be seen")
    return stripped


def _network(text: str) -> str:
    return str(network(text))


def _text(given: Any) -> Any:
    if given is not None and not isinstance(given, str):
        raise ValueError("it is a text like 2030-01-31T12:00:00Z")
    return given


def _ahead(moment: datetime) -> datetime:
    now = timezone.now()
    if moment <= now:
        raise ValueError("it lies in the past")
    if moment > now + LONGEST_LIFE:
        raise ValueError("a key lives for ten years at most")
    return moment.astimezone(UTC)


Name = Annotated[StrictStr, Field(max_length=length_of(ApiKey, "name")), AfterValidator(_printable)]
Network = Annotated[StrictStr, Field(max_length=100), AfterValidator(_network)]
Networks = Annotated[list[Network], Field(max_length=100)]
Rate = Annotated[StrictInt, Field(ge=1, le=1_000_000)]
Quota = dict[str, StrictInt | None]
Moment = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_ahead)]
Scope = Literal[(*SCOPES, EVERYTHING)]  # type: ignore[valid-type]  # from the one list of them


class NewKey(BaseModel):
    """A key to be made. It holds at most what the key, or the person, that makes it holds."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Name
    """What people know it by."""
    role: Role
    """A set of scopes."""
    scopes: list[Scope] | None = Field(None, min_length=1)
    """Narrows the role to these; all of the role's when absent."""
    expires_at: Moment | None = None
    """When it ends by itself; when the key that makes it does, if that has an end."""
    allowed_ips: Networks = Field(default_factory=list)
    """Addresses and networks (IPv4 and IPv6, CIDR) that it may be used from, any when empty; those
    of the key that makes it when absent."""
    rate_limit_per_minute: Rate | None = None
    """Requests a minute; what the installation grants when absent."""
    quota: Quota = Field(default_factory=dict)
    """Limits by their names, beside the tenant's."""

    @field_validator("scopes")
    @classmethod
    def _are_the_roles(cls, scopes: list[str] | None, info: ValidationInfo) -> list[str] | None:
        role = info.data.get("role")  # absent where it is wrong itself
        if role and (missing := beyond(scopes or (), ROLE_SCOPES[role])):
            raise ValueError(f"the role {role} does not hold {', '.join(missing)}")
        return scopes

    def wanted(self, maker: ApiKey | None = None) -> Wanted:
        """What is asked for, with the bounds of its maker where nothing is said of them."""
        inherited = set(_BOUNDS) - self.model_fields_set if maker else set()
        bounds = {name: getattr(maker if name in inherited else self, name) for name in _BOUNDS}
        bounds["allowed_ips"] = tuple(bounds["allowed_ips"])
        return Wanted(self.name, self.role.value, tuple(self.scopes or ()), **bounds)


class KeyChanges(BaseModel):
    """What to change; fields that are absent stay as they are."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Name = ""
    allowed_ips: Networks = Field(default_factory=list)
    """Where it may be used from; an empty list for anywhere."""
    rate_limit_per_minute: Rate | None = None
    quota: Quota = Field(default_factory=dict)
    """All its limits: those that are absent end."""


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    overlap_seconds: Annotated[StrictInt, Field(ge=0, le=LONGEST_OVERLAP_S)] = 3600
    """For so long the old key is good beside the new one."""
