"""Who: tenants, people and keys, as staff manage them."""

from __future__ import annotations

from accounts.admin import keys, limits, people, tenants

__all__ = ["keys", "limits", "people", "tenants"]
