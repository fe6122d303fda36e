"""Limits as somebody writes them: checked, with a pointer to each that is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.quotas.catalogue import LARGEST, QUOTAS
from ffapi_site.lib.problems import FieldError, Invalid

Limits = dict[str, int | None]


def read(given: object, *, pointer: str = "/quota", of_key: bool = False) -> Limits:
    """Check limits by name. Raises `Invalid` that names each wrong one.

    None means without limit: of a tenant, whatever its plan says.
    """
    if not isinstance(given, Mapping):
        detail = "an object of limits by their names"
        raise Invalid(detail, errors=[FieldError(pointer, detail, "not_an_object")])
    known = [name for name, quota in QUOTAS.items() if quota.is_for_keys or not of_key]
    errors = []
    for name, limit in given.items():
        printable = str(name).encode("ascii", "backslashreplace").decode()
        place = f"{pointer}/{printable[:50].replace('/', '~1')}"
        is_limit = isinstance(limit, int) and not isinstance(limit, bool) and 0 <= limit <= LARGEST
        if name not in known:
            errors.append(FieldError(place, f"there are: {', '.join(known)}", "unknown_field"))
        elif limit is not None and not is_limit:
            errors.append(FieldError(place, f"a whole number from 0 to {LARGEST}, or null"))
    if errors:
        raise Invalid("; ".join(f"{e.pointer}: {e.detail}" for e in errors), errors=errors)
    return dict(given)
