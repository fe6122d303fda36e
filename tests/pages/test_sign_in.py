from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import PASSWORD
from tests.harness.cast import Cast

PAGES = ("/", "/jobs", "/operations", "/files", "/operations/transcode/new")


def test_it_works(cast: Cast, client: Client) -> None:
    response = client.post("/login", {"username": "alice", "password": PASSWORD}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert b"<h1>Overview</h1>" in response.content


def test_it_refuses_a_wrong_password(cast: Cast, client: Client) -> None:
    response = client.post("/login", {"username": "alice", "password": "guessed"})
    assert b'role="alert"' in response.content
    assert "_auth_user_id" not in client.session


def test_it_goes_on_to_the_page_that_was_asked_for(cast: Cast, client: Client) -> None:
    form = {"username": "alice", "password": PASSWORD, "next": "/files"}
    assert client.post("/login", form)["Location"] == "/files"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example"]
)
def test_it_never_goes_to_another_site(cast: Cast, client: Client, elsewhere: str) -> None:
    form = {"username": "alice", "password": PASSWORD, "next": elsewhere}
    assert client.post("/login", form)["Location"] == "/"


@pytest.mark.parametrize("page", PAGES)
def test_pages_ask_strangers_to_sign_in(db: None, client: Client, page: str) -> None:
    assert client.get(page)["Location"] == f"/login?next={page}"


def test_a_fragment_makes_the_whole_window_ask(db: None, client: Client) -> None:
    response = client.get("/jobs", headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"
    assert not response.content


def test_signing_out_takes_a_post(alice: Client) -> None:
    assert alice.get("/logout").status_code == 405
    assert alice.post("/logout")["Location"] == "/login"
    assert alice.get("/").status_code == 302


def test_no_form_takes_a_file(cast: Cast, client: Client) -> None:
    upload = SimpleUploadedFile("a.mp4", b"bytes")
    form = {"username": "alice", "password": PASSWORD}
    response = client.post("/login", form | {"file": upload})
    assert response["Location"] == "/"
    assert not response.wsgi_request.FILES


def test_a_form_of_another_session_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    response = client.post("/logout")
    assert response.status_code == 403
    assert "The form was too old" in response.content.decode()
