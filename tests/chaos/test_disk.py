"""The fault that fills a disk does so, and sees what must not be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from chaos import disk
from chaos.ground import RESERVE_MB, Ground
from ffapi_site.lib.room import Room
from tests.factories import TenantFactory
from tests.harness.api_client import key_of
from tests.harness.customer import Customer
from tests.harness.disks import small_disk
from tests.storage.test_serving import Served, server

__all__ = ["server"]
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Stand:
    folder: Path
    violations: list[str] = field(default_factory=list)


@pytest.fixture
def ground(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setattr(disk, "_HELD_S", 0.5)
    settings.MIN_FREE_SPACE_MB = RESERVE_MB
    with small_disk(tmp_path / "small", 400 << 20) as folder:
        settings.FILE_UPLOAD_TEMP_DIR = str(folder / "uploads")
        (folder / "uploads").mkdir()
        yield Stand(folder)


@pytest.fixture
def customers(server: Served) -> Iterator[list[Customer]]:
    with ExitStack() as stack:
        made = [_customer(server, name) for name in ("amber", "birch")]
        for each in made:
            stack.enter_context(each.http)
        yield made


def _customer(server: Served, name: str) -> Customer:
    tenant: Tenant = TenantFactory.create(name=name)
    return Customer.of(f"http://127.0.0.1:{server.port}", {"tenant": name, "key": key_of(tenant)})


def test_it_works(ground: Stand, customers: list[Customer]) -> None:
    assert disk.is_served(customers[1], within_s=10)
    told = re.match(r"(\d+) of \d+ refused", _fill(ground, customers))
    assert ground.violations == []
    assert told
    assert int(told[1]) > 0
    assert not (ground.folder / "filler").exists()


def test_a_reserve_that_is_not_kept_is_seen(
    ground: Stand, customers: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Room, "keep", lambda *_: None)
    _fill(ground, customers)
    assert any("in reserve" in each for each in ground.violations)


def test_one_who_is_not_answered_is_seen(ground: Stand, customers: list[Customer]) -> None:
    with Customer.of("http://127.0.0.1:1", {"tenant": "birch", "key": "none"}).http as away:
        _fill(ground, [customers[0], Customer("birch", "none", away)])
    assert any("nobody else" in each for each in ground.violations)


def _fill(ground: Stand, customers: list[Customer]) -> str:
    return disk.fill_by_uploads(cast("Ground", ground), *customers)
