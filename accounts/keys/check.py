"""Whether a text is a key that may be used now, from where it is used."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection
from django.db.models import Field, Model

from accounts.keys import last_used
from accounts.keys.networks import holds
from accounts.keys.secret_format import id_in
from accounts.models import ApiKey, Tenant
from accounts.roles import allows
from ffapi_site.lib import scope
from ffapi_site.lib.crypto import EncryptedTextField, digest

# For so long a process takes a key for good without looking again: what is revoked, suspended,
# narrowed or moved is so everywhere within seconds.
_TRUSTED_FOR_S = 2
_NOBODYS_DIGEST = "0" * 64
_OF_THE_KEY = ApiKey._meta.concrete_fields  # noqa: SLF001 -- public, by its documentation
# Without the webhooks' secret, which few requests need: to decrypt it takes longest of all.
_OF_THE_TENANT = tuple(
    field
    for field in Tenant._meta.concrete_fields  # noqa: SLF001 -- likewise
    if not isinstance(field, EncryptedTextField)
)
# By hand: every request needs it, and to put the same together from models takes ten times as long.
_KEY = f"""
SELECT {", ".join(f"k.{field.column}" for field in _OF_THE_KEY)},
  {", ".join(f"t.{field.column}" for field in _OF_THE_TENANT)},
  (SELECT m.role FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id
   WHERE m.tenant_id = k.tenant_id AND m.user_id = k.created_by_id AND u.is_active
  ),
  (SELECT max(o.rate_limit_per_minute) FROM accounts_apikey o
   WHERE o.tenant_id = k.tenant_id AND o.revoked_at IS NULL
     AND (o.expires_at IS NULL OR o.expires_at > statement_timestamp()))
FROM accounts_apikey k JOIN accounts_tenant t ON t.id = k.tenant_id
WHERE k.id = %s
"""  # noqa: S608 -- names of our own columns
Row = TypeVar("Row", bound=Model)


class Reason(StrEnum):
    """Why a text is no usable key. The audit log tells; the answer never does."""

    UNKNOWN = "unknown"
    FORGED = "forged"
    REVOKED = "revoked"
    EXPIRED = "expired"
    TENANT_SUSPENDED = "tenant_suspended"
    CREATOR_LEFT = "creator_left"
    ADDRESS = "address_not_allowed"


@dataclass(frozen=True)
class Refusal:
    """A text that opens nothing; ``key`` is the one that it names, where there is such a one."""

    reason: Reason
    key: ApiKey | None = None


def find(text: str, address: str = "") -> ApiKey | None:
    """Give the usable key of this text, used from this address."""
    found = check(text, address)
    return found if isinstance(found, ApiKey) else None


def check(text: str, address: str) -> ApiKey | Refusal:
    """Give the key of this text, and note its use, or say why there is none.

    Whatever is wrong costs the same look-up and the same comparison, so that neither ids nor the
    state of keys can be told apart by time.
    """
    given = digest(text)
    known: ApiKey | None = cache.get(f"key:{given}")
    if known is not None and not _fault(known, address) and last_used.is_known_from(known, address):
        return known
    with scope.within(scope.EVERY_TENANT):  # whose it is will be known then
        key = _row(id_in(text))
        is_right = hmac.compare_digest(given, key.secret_digest if key else _NOBODYS_DIGEST)
        if key is None:
            return Refusal(Reason.UNKNOWN)
        if not is_right:
            return Refusal(Reason.FORGED, key)
        if fault := _fault(key, address):
            return Refusal(fault, key)
        last_used.note(key, address)
        cache.set(f"key:{given}", key, _TRUSTED_FOR_S)
        return key


def opens_still(key: ApiKey, address: str, needed: str) -> bool:
    """Look again at a key that opened what lasts: is it good, and does it hold what is needed?"""
    with scope.within(scope.EVERY_TENANT):
        found = _row(key.pk)
    return found is not None and not _fault(found, address) and allows(found.scopes, needed)


def _row(key_id: str) -> ApiKey | None:
    with connection.cursor() as cursor:
        cursor.execute(_KEY, [key_id])
        row = cursor.fetchone()
    if row is None:
        return None
    columns = iter(row)
    key = _instance(ApiKey, _OF_THE_KEY, columns)
    key.tenant = _instance(Tenant, _OF_THE_TENANT, columns)
    key.creators_role = next(columns)
    key.largest_rate_of_tenant = next(columns)
    return key


def _instance(model: type[Row], fields: tuple[Field[Any, Any], ...], columns: Iterator[Any]) -> Row:
    """Make one of ``model`` from the next columns, which are those of ``fields``."""
    names = [field.attname for field in fields]
    values = []
    for field in fields:
        stored, convert = next(columns), getattr(field, "from_db_value", None)
        values.append(convert(stored, None, connection) if convert else stored)
    return model.from_db(connection.alias, names, values)


def _fault(key: ApiKey, address: str) -> Reason | None:
    faults = {
        Reason.REVOKED: key.revoked_at is not None,
        Reason.EXPIRED: key.is_expired,
        Reason.TENANT_SUSPENDED: not key.tenant.is_active,
        Reason.CREATOR_LEFT: key.is_orphaned,
        Reason.ADDRESS: not holds(key.allowed_ips, address),
    }
    return next((reason for reason, is_so in faults.items() if is_so), None)
