"""What the API takes and tells stands in ``api/<noun>_schemas.py``, beside the noun's views."""

from __future__ import annotations

import ast
from pathlib import Path

from django.conf import settings

APPS = ("accounts", "storage", "media_jobs")


def test_bodies_stand_in_schemas() -> None:
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for app in APPS
        for path in Path(settings.BASE_DIR / app / "api").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and "BaseModel" in map(ast.unparse, node.bases)
    }
    assert len(found) > 5
    assert {name for name in found if not name.endswith("_schemas.py")} == set()
