"""Who: tenants, people and keys, as staff manage them."""

from __future__ import annotations

from accounts.admin import audit, keys, limits, people, tenants

__all__ = ["audit", "keys", "limits", "people", "tenants"]
