from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.conf import settings


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder for a server of its own.

    Not in pytest's temporary folder, which only its owner may enter: PostgreSQL is someone else.
    """
    folder = Path(mkdtemp(prefix="serving-", dir=settings.DATA_DIR))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
