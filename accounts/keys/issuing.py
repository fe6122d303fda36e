from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.keys.secret_format import new_text
from accounts.models import ApiKey, Tenant
from ffapi_site.lib.crypto import digest
from ffapi_site.lib.ids import new_id


def issue(tenant: Tenant, *, scopes: Iterable[str] = (), **columns: Any) -> tuple[ApiKey, str]:
    """Make a key; its text is told this once and can't be had again.

    ``scopes`` narrow the role's; without any the key holds all that its role holds. ``columns``
    are the row's others, ``name`` and ``role`` at least.
    """
    key_id = new_id("key")
    text = new_text(key_id)
    key = ApiKey.objects.create(
        id=key_id,
        tenant=tenant,
        narrowed_to=sorted(set(scopes)),
        secret_digest=digest(text),
        **columns,
    )
    return key, text
