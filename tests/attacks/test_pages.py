"""Odd input to pages, where a form library or the database could stumble."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from media_jobs.models import JobAttempt
from tests.factories import (
    JobFactory,
    MembershipFactory,
    TenantFactory,
    UserFactory,
)
from tests.harness.api_client import client_of
from tests.harness.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    """Staff, and an admin of a tenant: whoever may do everything."""
    user: User = UserFactory.create(username="root", is_staff=True, is_superuser=True)
    MembershipFactory.create(user=user, role=Role.ADMIN)
    return user


@pytest.fixture
def browser(root: User) -> Client:
    """A signed-in browser that checks forms as a real request is checked."""
    client = Client(enforce_csrf_checks=True)
    sign_in(client, root)
    return client


class TestPages:
    """Odd input to pages, where a form library or the database could stumble."""

    ODD = ("\x00", "%", "'", "\\", "a" * 5000, "\U0001f4a9", "-1", "1e9", "[]", "../etc/passwd")
    PAGES = (
        "/jobs?status={}", "/jobs?search={}", "/jobs?before={}", "/jobs?operation={}",
        "/files?search={}", "/files?after={}", "/login?next={}", "/compose/{}",
        "/operations/transcode/new?from={}",
        "/admin/media_jobs/job/?q={}", "/admin/media_jobs/job/?status={}",
        "/admin/accounts/user/?e={}",
        "/admin/media_jobs/job/{}/change/", "/admin/accounts/tenant/?p={}", "/docs/errors?{}",
        "/admin/accounts/user/?o={}", "/admin/search/?s={}", "/admin/autocomplete/?term={}",
    )  # fmt: skip

    @pytest.mark.parametrize("page", PAGES)
    def test_nothing_is_an_error_of_ours(self, browser: Client, page: str) -> None:
        for odd in self.ODD:
            path = page.format(quote(odd, safe=""))
            assert browser.get(path).status_code < 500, path

    @pytest.mark.parametrize("text", ["%ff", "%ed%a0%80", "%c0%af", "%u0041", "%"])
    def test_bytes_that_are_no_text(self, browser: Client, text: str) -> None:
        for page in self.PAGES:
            assert browser.get(page.format(text)).status_code < 500, page

    @pytest.mark.parametrize(
        "form", ["/login", "/tenant", "/operations/transcode/new", "/admin/login/"]
    )
    def test_forms_too_large(self, root: User, form: str) -> None:
        client = Client()
        if form != "/admin/login/":
            sign_in(client, root)
        kind = "application/x-www-form-urlencoded"
        many = "&".join(f"f{n}=" for n in range(2000)).encode()
        for body in (many, b"a=" + b"x" * (2 * 1024 * 1024)):
            assert client.generic("POST", form, body, kind).status_code in {400, 405, 413}

    def test_what_a_page_repeats_is_text(self, browser: Client) -> None:
        hostile = '"><script>alert(1)</script>'
        for page in self.PAGES:
            answer: Any = browser.get(page.format(quote(hostile)), follow=True)
            content = b"" if answer.streaming else answer.content
            assert b"<script>alert(1)" not in content, page

    def test_json_in_a_page_ends_no_script(self) -> None:
        tenant = TenantFactory.create()
        job = JobFactory.create(tenant=tenant, metadata={"a": "</script><script>alert(1)</script>"})
        user = UserFactory.create()
        MembershipFactory.create(user=user, tenant=tenant)
        client = Client()
        sign_in(client, user)
        assert b"<script>alert(1)" not in client.get(f"/jobs/{job.pk}").content
        assert json.loads(client_of(tenant).get(f"/v1/jobs/{job.pk}").content)["metadata"]

    def test_what_staff_read_of_a_job_is_text(self, browser: Client) -> None:
        hostile = "</pre><script>alert(1)</script>"
        job = JobFactory.create(
            running=True, tags=[hostile], metadata={"a": hostile}, error={"code": hostile}
        )
        commands = [{"argv": ["ffmpeg", hostile], "returncode": 0, "seconds": 1}]
        JobAttempt.objects.create(
            job=job, number=1, slot="a", log=hostile, receipt={"commands": commands}
        )
        shown = browser.get(f"/admin/media_jobs/job/{job.pk}/change/").content
        assert shown.count(b"script&gt;alert(1)") >= 5
        assert b"<script>alert(1)" not in shown
