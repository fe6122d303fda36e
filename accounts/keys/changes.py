"""Keys as people and other keys manage them: each change is one record of the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Least, Now
from django.utils import timezone

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.keys.authority import Authority
from accounts.keys.issuing import issue
from accounts.keys.secret_format import new_text
from accounts.models import ApiKey, Tenant
from accounts.quotas import limits
from accounts.roles import effective_scopes
from ffapi_site.lib.crypto import digest
from ffapi_site.lib.problems import Conflict

LONGEST_LIFE = timedelta(days=3652)

# What a rotated key hands on to its successor.
_HANDED_ON = ("name", "role", "allowed_ips", "rate_limit_per_minute")
_BEHIND = ("created_by", "made_by", "follows_creator")


@dataclass(frozen=True)
class Wanted:
    """A key as it was asked for."""

    name: str
    role: str
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    allowed_ips: tuple[str, ...] = ()
    rate_limit_per_minute: int | None = None
    quota: Mapping[str, int | None] = field(default_factory=dict)


def create(tenant: Tenant, wanted: Wanted, by: Authority) -> tuple[ApiKey, str]:
    """Make the key that was asked for and give its text; raises ``Forbidden`` if it is too much."""
    by.require_making()
    by.require_scopes(effective_scopes(wanted.role, wanted.scopes))
    by.require_expiry(wanted.expires_at)
    by.require_addresses(wanted.allowed_ips)
    by.require_rate(wanted.rate_limit_per_minute)
    by.require_quota(wanted.quota)
    columns = vars(wanted) | {"allowed_ips": list(wanted.allowed_ips)}
    quota = columns.pop("quota")
    with transaction.atomic():
        _require_place(tenant)
        key, text = issue(tenant, **columns, **_behind(by, is_followed=by.is_followed_in(tenant)))
        _limit(key, quota)
        bounds = {
            "role": key.role,
            "scopes": sorted(key.scopes),
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "is_held_to_addresses": bool(key.allowed_ips),
            "rate_limit_per_minute": key.rate_limit_per_minute,
            "quota": key.quota,
        }
        personal = _addresses(key.allowed_ips)
        audit.record(
            AuditEvent.API_KEY_CREATED, tenant.pk, key.pk, details=bounds, personal=personal
        )
    return key, text


def _require_place(tenant: Tenant) -> None:
    """Raise ``Conflict`` where the tenant has as many keys as it may; part of a transaction.

    One that was rotated has its successor in its place.
    """
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)  # one after the other
    most = settings.MAX_API_KEYS_PER_TENANT
    usable = ApiKey.objects.filter(tenant=tenant, revoked_at=None, successor=None)
    if usable.exclude(expires_at__lte=Now()).count() >= most:
        raise Conflict(f"a tenant has at most {most} keys; revoke one", code="too_many_keys")


def _behind(by: Authority, *, is_followed: bool) -> dict[str, Any]:
    return {"created_by": by.person, "made_by": by.key, "follows_creator": is_followed}


def _limit(key: ApiKey, quota: Mapping[str, int | None]) -> None:
    if quota:
        limits.set_for_key(key, quota, audited=False)


def _addresses(allowed_ips: Iterable[str]) -> dict[str, str]:
    """Addresses are personal data: they are told where they can be erased."""
    return {"allowed_ips": ", ".join(allowed_ips)}


def retell(key: ApiKey) -> str:
    """Give a key that nobody was ever told another secret: its first one was lost on the way."""
    text = new_text(key.pk)
    ApiKey.objects.filter(pk=key.pk).update(secret_digest=digest(text))
    return text


def change(key: ApiKey, changes: Mapping[str, Any], by: Authority) -> ApiKey:
    """Change a key's name or bounds; raises ``Forbidden`` where that is more than ``by`` holds."""
    by.require_scopes(key.scopes)
    if "allowed_ips" in changes:
        by.require_addresses(tuple(changes["allowed_ips"]))
    if "rate_limit_per_minute" in changes:
        by.require_rate(changes["rate_limit_per_minute"])
    if "quota" in changes:
        by.require_quota(changes["quota"])
    if not changes:
        return key
    columns = [name for name in changes if name != "quota"]
    for name in columns:
        setattr(key, name, changes[name])
    with transaction.atomic():
        if "quota" in changes:
            limits.locked_tenant(key.tenant)
        else:
            limits.refer_to(key.tenant_id)
        key.save(update_fields=columns)
        if "quota" in changes:  # what was read here may be of yesterday by now
            limits.set_for_key(key, changes["quota"], audited=False)
        _record_change(key, changes)
    return key


def _record_change(key: ApiKey, changes: Mapping[str, Any]) -> None:
    # What people call it may name somebody: that it changed is told, not into what.
    told = {name: changes[name] for name in changes if name not in {"name", "allowed_ips"}}
    personal = {}
    if "allowed_ips" in changes:
        told["is_held_to_addresses"] = bool(key.allowed_ips)
        personal = _addresses(key.allowed_ips)
    details = {"changed": sorted(changes), **told}
    audit.record(
        AuditEvent.API_KEY_CHANGED, key.tenant_id, key.pk, details=details, personal=personal
    )


@transaction.atomic
def rotate(key: ApiKey, overlap_s: int, by: Authority) -> tuple[ApiKey, str]:
    """Make a successor with all that the key holds; the key itself ends after the overlap.

    The successor lives as long as the key was made to live. Whoever rotates gets to know its
    text, so they have to hold what it holds, and the successor ends with them where they are
    somebody that keys follow.
    """
    by.require_making()
    by.require_scopes(key.scopes)
    limits.locked_tenant(key.tenant)
    # Without what refers to it: a submission holds the key so, and waits for the tenant.
    rows = ApiKey.objects.select_for_update(of=("self",), no_key=True)
    locked = rows.select_related("tenant").get(pk=key.pk)
    if not locked.is_usable:
        raise Conflict("only a key that can be used is rotated", code="key_not_usable")
    if ApiKey.objects.filter(replaces=locked).exists():
        raise Conflict("the key was rotated before; rotate its successor", code="key_rotated")
    expires_at = None
    if locked.expires_at is not None:
        expires_at = timezone.now() + min(locked.expires_at - locked.created_at, LONGEST_LIFE)
    by.require_expiry(expires_at)
    by.require_addresses(tuple(locked.allowed_ips))
    by.require_rate(locked.rate_limit_per_minute)
    by.require_quota(locked.quota)
    handed_on = {name: getattr(locked, name) for name in (*_HANDED_ON, *_BEHIND)}
    if by.is_followed_in(locked.tenant):
        handed_on |= _behind(by, is_followed=True)
    handed_on |= {"scopes": locked.narrowed_to, "expires_at": expires_at, "replaces": locked}
    successor, text = issue(locked.tenant, **handed_on)
    _limit(successor, locked.quota)
    _row(key).update(expires_at=Least("expires_at", Now() + timedelta(seconds=overlap_s)))
    details = {"successor": successor.pk, "overlap_seconds": overlap_s}
    audit.record(AuditEvent.API_KEY_ROTATED, key.tenant_id, key.pk, details=details)
    return successor, text


@transaction.atomic
def revoke(key: ApiKey) -> ApiKey:
    """End a key for good, everywhere within seconds; nothing happens to one that has ended so."""
    limits.refer_to(key.tenant_id)
    if _row(key).filter(revoked_at=None).update(revoked_at=Now()):
        audit.record(AuditEvent.API_KEY_REVOKED, key.tenant_id, key.pk)
    key.refresh_from_db(fields=["revoked_at"])
    return key


def _row(key: ApiKey) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(pk=key.pk)
