from __future__ import annotations

from tests.pages.conftest import (  # noqa: F401 -- the same cast and settings
    _plain_static_files,
    _quick_passwords,
    alice,
    bob,
    cast,
    charlie,
    staff,
)
