"""The fault that fills a disk does so, and sees what must not be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from chaos import disk
from chaos.ground import RESERVE_MB, Ground
from ffapi_site.lib.room import Room
from tests.disks import small_disk
from tests.factories import TenantFactory
from tests.storage.client import key_of
from tests.storage.test_serving import Served, server
from tests.system.customer import Customer

__all__ = ["server"]
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Stand:
    folder: Path
    url: str
    violations: list[str] = field(default_factory=list)

    def customer(self, name: str) -> Customer:
        tenant: Tenant = TenantFactory.create(name=name)
        return Customer.of(self.url, {"tenant": name, "key": key_of(tenant)})


@pytest.fixture
def ground(server: Served, tmp_path: Path, settings: Settings) -> Iterator[Stand]:
    settings.MIN_FREE_SPACE_MB = RESERVE_MB
    with small_disk(tmp_path / "small", 400 << 20) as folder:
        settings.FILE_UPLOAD_TEMP_DIR = str(folder / "uploads")
        (folder / "uploads").mkdir()
        yield Stand(folder, f"http://127.0.0.1:{server.port}")


def test_it_works(ground: Stand) -> None:
    told = disk.fill_by_uploads(cast("Ground", ground))
    assert ground.violations == []
    assert "refused" in told
    assert not (ground.folder / "filler").exists()


def test_a_reserve_that_is_not_kept_is_seen(ground: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Room, "keep", lambda *_: None)
    disk.fill_by_uploads(cast("Ground", ground))
    assert any("in reserve" in each for each in ground.violations)
