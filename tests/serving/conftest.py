from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.conf import settings

from tests.harness.server import Server
from tests.serving.shared import Shared


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder for a server of its own.

    Not in pytest's temporary folder, which only its owner may enter: PostgreSQL is someone else.
    """
    folder = a_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def a_folder() -> Path:
    return Path(mkdtemp(prefix="serving-", dir=settings.DATA_DIR))


@pytest.fixture(scope="package")
def shared() -> Iterator[Shared]:
    """A site for the tests of this folder; what one of them ended the next one starts again."""
    folder = a_folder()
    with Shared(folder) as shared:
        yield shared
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(shared: Shared) -> Server:
    return shared.running()
