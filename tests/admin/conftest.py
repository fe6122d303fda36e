from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory
from tests.harness.cast import Cast, signed_in

REASON = "request 4711"

Act = Callable[..., str]


@pytest.fixture
def root(cast: Cast) -> Client:
    return signed_in(UserFactory.create(username="root", is_staff=True, is_superuser=True))


def act(client: Client, model: str, action: str, *rows: str, reason: str = REASON) -> str:
    """Take an action on rows of a list, all the way through its question."""
    form = {"action": action, "_selected_action": rows}
    url = reverse(f"admin:{model}_changelist")
    asked = client.post(url, form)
    if asked.status_code == 200:
        assert "Reason" in asked.content.decode()
    answer = client.post(url, form | {"confirmed": "yes", "reason": reason}, follow=True)
    return answer.content.decode()


@pytest.fixture(autouse=True)
def _media_of_its_own(own_media: Path) -> None:
    """No test finds files of another."""
