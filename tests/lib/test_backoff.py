from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from ffapi_site.lib.backoff import doubled_s, jittered_s


def test_it_works() -> None:
    assert [doubled_s(5, failures) for failures in (1, 2, 3, 4)] == [5, 10, 20, 40]


def test_it_has_an_end() -> None:
    assert doubled_s(5, 4, longest_s=30) == 30
    assert doubled_s(0, 10**9) == 0
    assert doubled_s(5, 10**9, longest_s=3600) == 3600


def test_no_failure_waits_as_the_first_does() -> None:
    assert doubled_s(5, 0) == 5


def test_who_failed_together_parts() -> None:
    waits = {jittered_s(100) for _ in range(50)}
    assert len(waits) > 40
    assert 80 <= min(waits) < max(waits) <= 120


def test_nothing_else_doubles_or_jitters() -> None:
    by_hand = re.compile(r"\b2\.0 ?\*\*|\b2 ?\*\* ?\S*(?:attempt|tries|failures)|random\.uniform")
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for package in ("ffapi_site", "accounts", "storage", "media_jobs")
        for path in Path(settings.BASE_DIR / package).rglob("*.py")
        if by_hand.search(path.read_text())
    }
    assert found == {"ffapi_site/lib/backoff.py"}
