"""A length is said by the column that keeps the text; what else says one has its reason here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Tenant
from ffapi_site.lib.lengths import fitted, length_of
from media_jobs.models import Job, WebhookDelivery
from storage.models import File

# What no column keeps: counts of things, secrets, what is read and thrown away, operations'
# parameters, and what goes into JSON. Nothing else may name a number. Of each
# file how many, and why.
_WITH_A_REASON = {
    "accounts/admin/limits.py": (1, "digits of a number"),
    "accounts/keys/request_schemas.py": (
        2,
        "networks: their number, and their texts before they are read",
    ),
    "accounts/keys/last_used.py": (1, "the address column's own type, in SQL"),
    "accounts/pages/forms.py": (4, "passwords, codes, and a reason that only the audit log keeps"),
}
_ELSEWHERE = ("migrations", "models", "operations")


def _says_a_length(node: ast.AST) -> bool:
    if not (isinstance(node, ast.keyword) and node.arg == "max_length"):
        return False
    return isinstance(node.value, ast.Constant)


def _sources() -> Iterator[Path]:
    for package in ("accounts", "ffapi_site", "media_jobs", "storage"):
        for path in (settings.BASE_DIR / package).rglob("*.py"):
            if not set(_ELSEWHERE) & set(path.parts):
                yield path.relative_to(settings.BASE_DIR)


def _said_in(path: Path) -> int:
    return sum(map(_says_a_length, ast.walk(ast.parse((settings.BASE_DIR / path).read_text()))))


def test_no_length_is_said_twice() -> None:
    said = {str(path): number for path in _sources() if (number := _said_in(path))}
    assert said == {path: number for path, (number, _) in _WITH_A_REASON.items()}


def test_a_length_is_the_column_s() -> None:
    assert length_of(File, "name") == 255
    assert length_of(Job, "tags") == 64
    with pytest.raises(TypeError, match="has no length"):
        length_of(Tenant, "created_at")


@pytest.mark.django_db
def test_what_is_fitted_can_be_stored() -> None:
    told = fitted(WebhookDelivery, "last_error", "a\0b\ud800" + "\U0001f600" * 400)
    assert len(told) == 300
    tenant = Tenant.objects.create(name="studio")
    WebhookDelivery.objects.create(tenant=tenant, url="https://example.org", last_error=told)
