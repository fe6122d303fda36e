from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pydantic import BaseModel, ValidationError

from ffapi_site.lib.labels import (
    LONGEST_TAG,
    METADATA_BYTES,
    MOST_TAGS,
    Metadata,
    Tags,
    check_metadata,
    check_tags,
)
from ffapi_site.lib.lengths import length_of
from ffapi_site.lib.refusal import Refusal
from media_jobs.models import Job
from storage.models import File


class Body(BaseModel):
    tags: Tags = []
    metadata: Metadata = {}


MOST: dict[str, Any] = {
    "tags": ["x" * LONGEST_TAG] * MOST_TAGS,
    "metadata": {"a": "x" * (METADATA_BYTES - 9)},
}
ONE_MORE: list[dict[str, Any]] = [
    {"tags": ["x"] * (MOST_TAGS + 1)},
    {"tags": ["x" * (LONGEST_TAG + 1)]},
    {"tags": [""]},
    {"metadata": {"a": "x" * (METADATA_BYTES - 8)}},
]


def check_both(given: dict[str, Any]) -> None:
    check_tags(given.get("tags", ()))
    check_metadata(given.get("metadata", {}))


def test_it_works() -> None:
    assert Body(**MOST).model_dump() == MOST
    check_tags(MOST["tags"])
    assert check_metadata(MOST["metadata"]) == MOST["metadata"]


@pytest.mark.parametrize("given", ONE_MORE)
def test_one_more_is_refused_by_bodies_and_by_code(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Body(**given)
    with pytest.raises(Refusal):
        check_both(given)


def test_the_columns_hold_as_much() -> None:
    for model in (File, Job):
        assert length_of(model, "tags") == LONGEST_TAG
        metadata: Any = model._meta.get_field("metadata")
        assert metadata.most_bytes == METADATA_BYTES


def test_nothing_else_says_the_rules() -> None:
    again = re.compile(r"\b(?:MOST_TAGS|METADATA_BYTES|LONGEST_TAG) = |\nTags? = ")
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for package in ("ffapi_site", "accounts", "storage", "media_jobs")
        for path in Path(settings.BASE_DIR / package).rglob("*.py")
        if again.search(path.read_text())
    }
    assert found == {"ffapi_site/lib/labels.py"}
