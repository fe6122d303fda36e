from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def _make(username: str = "ada", password: str = PASSWORD) -> str:
    told = StringIO()
    arguments = ["--username", username, "--password", password]
    call_command("create_staff", *arguments, stdout=told, stderr=told)
    return told.getvalue()


def test_it_works() -> None:
    assert _make() == "staff user ada made\n"
    user = User.objects.get(username="ada")
    assert user.is_staff
    assert user.check_password(PASSWORD)


def test_a_taken_name_is_refused() -> None:
    _make()
    with pytest.raises(CommandError, match="--username"):
        _make(password="another battery staple")
    assert User.objects.get(username="ada").check_password(PASSWORD)


def test_an_impossible_name_is_refused() -> None:
    with pytest.raises(CommandError, match="--username"):
        _make(username="a b")


def test_a_weak_password_is_warned_of() -> None:
    assert "weak password" in _make(password="ada")
