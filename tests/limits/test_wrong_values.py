"""The net below all checks: a value that only the database refuses."""

from __future__ import annotations

import pytest

from media_jobs.engine import jobs
from tests.api.sending import WANTED, code_of, send
from tests.audit_coverage.stage import Stage

pytestmark = pytest.mark.django_db

# Longer than the column; with NUL; with half a character.
_WRONG = ("x" * 151, "a\0b", "\ud800")


@pytest.fixture(autouse=True)
def _net_is_not_needed() -> None:
    """Here it is."""


@pytest.fixture(params=_WRONG, ids=ascii)
def _unchecked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that lets pass what it should not."""
    monkeypatch.setattr(jobs, "_stored_name", lambda _given: request.param)


@pytest.mark.usefixtures("_unchecked")
def test_it_works(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    refused = send(stage.browser("key"), "/v1/jobs", WANTED)
    assert code_of(refused, 422) == "invalid_value"
    assert "The database refused a value that passed our checks" in caplog.text


@pytest.mark.usefixtures("_unchecked")
def test_a_page_says_it_in_words(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    form = {"input.url": "https://example.org/a.mp4", "input.file": ""}
    refused = stage.browser("member").post("/operations/transcode/new", form)
    assert refused.status_code == 422
    assert "Something that was sent is too long" in refused.content.decode()
    assert "The database refused a value that passed our checks" in caplog.text
