"""Who gets what in deploy/compose.yml: passwords and the signing key to few, room to each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from django.db.backends.base.base import BaseDatabaseWrapper

from ffapi_site.database import roles
from tests.harness.superuser import superuser

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


@pytest.mark.parametrize("name", SERVICES.keys() - {"database"})
def test_nobody_of_ours_has_the_superuser_s_password(name: str) -> None:
    assert SERVICES[name]["environment"]["POSTGRES_SUPERUSER_PASSWORD"] == ""


def test_the_signing_key_is_the_sealer_s_alone() -> None:
    with_it = [name for name in SERVICES if "sealer:/data" in SERVICES[name].get("volumes", [])]
    assert with_it == ["sealer"]
    assert SERVICES["sealer"]["volumes"] == ["sealer:/data"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"] <= 4096
    assert not service.get("privileged")


def test_only_the_web_server_is_reached_and_from_this_machine() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert list(published) == ["web"]
    assert all(port.startswith("${PUBLISH_ON:-127.0.0.1}:") for port in published["web"])


def test_slots_on_one_machine_are_one_host() -> None:
    """Its memory and its disk are counted once, and each slot takes a number of its own."""
    assert SERVICES["slot"]["environment"]["FFAPI_HOST_NAME"] == "${FFAPI_HOST_NAME:-compose}"
    assert "--number" not in SERVICES["slot"]["command"]


@pytest.mark.parametrize("file", ["deploy/compose.yml", "Dockerfile"])
def test_images_are_of_exact_versions(file: str) -> None:
    images = re.findall(r"(?:postgres|python):(\S+)", Path(file).read_text())
    named = [tag for tag in images if tag[0].isdigit()]
    assert named
    assert all(re.match(r"\d+(\.\d+)*\.\d+-", tag) for tag in named), named


def test_what_must_be_filled_in_is_in_the_example() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", Path("deploy/compose.yml").read_text()))
    offered = set(re.findall(r"^(\w+)=", Path("deploy/env.example").read_text(), re.MULTILINE))
    optional = set(re.findall(r"\$\{(\w+):-", Path("deploy/compose.yml").read_text()))
    assert required <= offered
    assert optional - {"FFAPI_HOST_NAME"} <= offered


@pytest.mark.django_db
def test_an_owner_without_more_rights_can_take_on_the_sealer_s_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As deploy/create-owner.sh makes it."""
    made = Path("deploy/create-owner.sh").read_text()
    assert "CREATE ROLE owner LOGIN NOSUPERUSER CREATEROLE" in made
    monkeypatch.setattr(roles, "SEALER", "sealer_of_a_test")
    with superuser() as cursor:
        cursor.execute("CREATE ROLE owner_of_a_test NOSUPERUSER CREATEROLE")
        cursor.execute("SET LOCAL ROLE owner_of_a_test")
        for _ in range(2):
            roles.prepare_sealer(cast("BaseDatabaseWrapper", cursor.connection))
        cursor.execute("SELECT pg_has_role('owner_of_a_test', 'sealer_of_a_test', 'SET')")
        can_take_it_on = cursor.fetchone()
        cursor.connection.rollback()
    assert can_take_it_on == (True,)
