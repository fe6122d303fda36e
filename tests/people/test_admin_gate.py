"""The admin is closed to staff without a code, at every address that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RoutePattern

from accounts.admin_site import site
from accounts.models import User
from tests.factories import PASSWORD, UserFactory
from tests.harness.cast import Cast
from tests.harness.signing_in import enrolled, sign_in

pytestmark = pytest.mark.django_db


def _addresses(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from _addresses(each.url_patterns, prefix + _filled(each))
        else:
            yield prefix + _filled(each)


def _filled(pattern: URLPattern | URLResolver) -> str:
    """The pattern with something in the place of what it names."""
    if isinstance(pattern.pattern, RoutePattern):
        return re.sub(r"<(?:\w+:)?\w+>", "1", str(pattern.pattern))
    return "accounts/" if "app_label" in str(pattern.pattern) else "nothing"


ADDRESSES = sorted({f"/admin/{path}" for path in _addresses(site.get_urls(), "")})
OPEN = {"/admin/login/", "/admin/logout/"}


@pytest.fixture
def root(db: None) -> User:
    user: User = UserFactory.create(username="root", is_staff=True, is_superuser=True)
    return user


def half_in(root: User) -> Client:
    client = Client()
    client.post("/login", {"username": root.username, "password": PASSWORD})
    return client


def test_all_are_found() -> None:
    assert len(ADDRESSES) > 40
    assert {"/admin/jsi18n/", "/admin/autocomplete/", "/admin/password_change/"} <= set(ADDRESSES)
    assert "/admin/media_jobs/job/" in ADDRESSES
    assert not [path for path in ADDRESSES if "<" in path or "?P" in path]


@pytest.mark.parametrize("has_one", [True, False], ids=["enrolled", "not enrolled"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_code_none_opens(root: User, method: str, *, has_one: bool) -> None:
    if has_one:
        enrolled(root)
    client = half_in(root)
    assert client.session["_auth_user_id"] == str(root.pk)
    for path in ADDRESSES:
        if path in OPEN:
            continue
        answer = getattr(client, method)(path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/admin/login/?next=/admin/"), path


def test_bulk_actions_neither(root: User, cast: Cast) -> None:
    client = half_in(root)
    form = {"action": "cancel", "_selected_action": ["job_1"]}
    answer = client.post("/admin/media_jobs/job/", form)
    assert answer["Location"].startswith("/admin/login/")


def test_with_one_they_do(root: User) -> None:
    client = sign_in(Client(), root)
    for path in ("/admin/", "/admin/jsi18n/", "/admin/media_jobs/job/", "/admin/accounts/user/"):
        assert client.get(path).status_code == 200, path


def test_a_reset_closes_it_at_once(root: User) -> None:
    client = sign_in(Client(), root)
    root.authenticator.delete()
    assert client.get("/admin/").status_code == 302


def test_its_password_form_is_ours(root: User) -> None:
    client = sign_in(Client(), root)
    assert client.get("/admin/password_change/")["Location"] == "/profile/password"


def test_staff_s_pages_are_closed_too(root: User) -> None:
    client = half_in(root)
    assert client.get("/")["Location"] == "/login?next=/"
    assert client.get("/health/detailed").status_code == 401
