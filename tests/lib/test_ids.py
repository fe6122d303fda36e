from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ffapi_site.lib.ids import made_at, new_id
from storage.models import File
from tests.factories import ApiKeyFactory, FileFactory, JobFactory


def test_an_id_tells_when_it_was_made() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    assert before <= made_at(new_id("job")) <= datetime.now(UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("factory", [JobFactory, FileFactory, ApiKeyFactory])
def test_a_row_was_made_when_its_id_was(factory: type[JobFactory]) -> None:
    row = factory.create()
    row.refresh_from_db()
    assert row.created_at == made_at(row.pk)


@pytest.mark.django_db
def test_a_later_change_leaves_it_alone() -> None:
    file = FileFactory.create()
    moved = file.created_at - timedelta(days=1)
    File.objects.filter(pk=file.pk).update(created_at=moved)
    file = File.objects.get(pk=file.pk)
    file.save()
    file.refresh_from_db()
    assert file.created_at == moved
