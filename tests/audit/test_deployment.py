"""Who gets what in deploy/compose.yml: the owner's password and the signing key go to few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

SERVICES: dict[str, Any] = yaml.safe_load(Path("deploy/compose.yml").read_text())["services"]


@pytest.mark.parametrize("name", ["migrate", "sealer"])
def test_who_works_as_the_owner_can(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert environment["DATABASE_OWNER_URL"].startswith("postgres://owner:")
    assert environment["DATABASE_URL"].startswith("postgres://ffapi:")


@pytest.mark.parametrize("name", ["web", "slot"])
def test_who_serves_or_works_has_no_owner_s_password(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert "DATABASE_OWNER_URL" not in environment
    assert environment["POSTGRES_OWNER_PASSWORD"] == ""


def test_the_signing_key_is_the_sealer_s_alone() -> None:
    with_it = [name for name in SERVICES if "sealer:/data" in SERVICES[name].get("volumes", [])]
    assert with_it == ["sealer"]
    assert SERVICES["sealer"]["volumes"] == ["sealer:/data"]
