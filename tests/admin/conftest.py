from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory
from tests.pages.conftest import (  # noqa: F401 -- fixtures
    Cast,
    _own_media,
    _plain_static_files,
    _quick_passwords,
    alice,
    cast,
    signed_in,
    staff,
)

REASON = "request 4711"

Act = Callable[..., str]


@pytest.fixture
def root(cast: Cast) -> Client:  # noqa: F811 -- the fixture
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
