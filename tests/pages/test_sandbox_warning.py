from __future__ import annotations

import pytest
from django.test import Client

from media_jobs.models import Slot
from tests.factories import SlotFactory, UserFactory
from tests.harness.cast import Cast
from tests.harness.signing_in import sign_in

pytestmark = pytest.mark.django_db
WARNING = "without a sandbox that holds"
FULL = {"allowed": True, "level": "full"}
OVERRIDDEN = {"allowed": True, "level": "none"}


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create(name="host-cpu-1", sandbox=FULL)


def _page(client: Client, path: str) -> str:
    response = client.get(path, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize("path", ["/", "/admin/"])
def test_it_works(client: Client, slot: Slot, path: str) -> None:
    sign_in(client, UserFactory.create(is_staff=True, is_superuser=True))
    assert WARNING not in _page(client, path)
    Slot.objects.update(sandbox=OVERRIDDEN)
    assert WARNING in _page(client, path)


def test_tenants_are_not_bothered(client: Client, slot: Slot, cast: Cast) -> None:
    Slot.objects.update(sandbox=OVERRIDDEN)
    sign_in(client, cast.alice)
    assert WARNING not in _page(client, "/jobs")
