from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import ROLE_SCOPES
from media_jobs.models import Job
from tests.factories import (
    FileFactory,
    JobAttemptFactory,
    JobFactory,
    JobInputFactory,
    JobOutputFactory,
)
from tests.harness.cast import Cast


def finished(tenant: Tenant, content_type: str = "video/mp4") -> Job:
    job = JobFactory.create(tenant=tenant, completed=True)
    file = FileFactory.create(tenant=tenant, name="result.mp4", content_type=content_type)
    JobOutputFactory.create(job=job, file=file)
    JobAttemptFactory.create(
        job=job,
        log="\n".join(f"line {number}" for number in range(200)),
        receipt={"ffmpeg": "5.1.9", "commands": [{"argv": ["ffmpeg", "-i", "in/0.mp4"]}]},
    )
    return job


def page(client: Client, job: Job, part: str = "") -> str:
    response = client.get(f"/jobs/{job.pk}{part}")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ({"jobs:create"}, {"retry", "change"}),
        ({"jobs:cancel"}, set()),
        ({"jobs:cancel", "files:delete"}, {"ask-delete"}),
    ],
)
def test_buttons_are_for_who_may(
    alice: Client,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    held: set[str],
    shown: set[str],
) -> None:
    monkeypatch.setitem(ROLE_SCOPES, "developer", frozenset(held | {"jobs:read"}))
    content = page(alice, finished(cast.tenant))
    assert {
        each for each in ("retry", "change", "ask-delete") if f'id="{each}"' in content
    } == shown


@pytest.mark.parametrize(
    ("content_type", "element"),
    [("video/mp4", "video"), ("audio/mpeg", "audio"), ("image/png", "img")],
)
def test_it_works(alice: Client, cast: Cast, content_type: str, element: str) -> None:
    content = page(alice, finished(cast.tenant, content_type))
    assert f"<{element} " in content
    assert "ffmpeg -i in/0.mp4" in content
    assert "line 199" in content
    assert "line 100" not in content


@pytest.mark.django_db(transaction=True)
def test_the_result_s_links_serve_the_bytes_without_a_key(alice: Client, cast: Cast) -> None:
    job = finished(cast.tenant)
    [link] = alice.get(f"/jobs/{job.pk}").context["facts"].outputs
    for url, disposition in ((link.inline_url, "inline"), (link.download_url, "attachment")):
        response = Client().get(url)
        assert b"".join(response) == b"bytes of a file"
        assert response["Content-Disposition"].startswith(disposition)
        response.close()


def test_it_asks_again_until_the_job_has_ended(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant, running=True, progress={"percent": 41.7})
    content = page(alice, job, "/live")
    assert 'value="41.7"' in content
    assert f'data-hx-get="/jobs/{job.pk}/live"' in content
    assert "data-hx-get" not in page(alice, finished(cast.tenant), "/live")


def test_a_failure_says_what_to_do(alice: Client, cast: Cast) -> None:
    error = {"code": "x", "title": "Cut short", "detail": "at 4 s", "hint": "Upload it again."}
    content = page(alice, JobFactory.create(tenant=cast.tenant, failed=True, error=error))
    assert "Cut short" in content
    assert "Upload it again." in content


def test_it_tells_the_place_in_the_queue(alice: Client, cast: Cast) -> None:
    earlier = timezone.now() - timedelta(minutes=1)
    JobFactory.create(tenant=cast.other_tenant, run_at=earlier)
    low = JobFactory.create(tenant=cast.tenant, run_at=earlier, priority=2)
    normal = JobFactory.create(tenant=cast.tenant)
    assert "Position <b>1</b>" in page(alice, normal)
    content = page(alice, low)
    assert "Position <b>2</b>" in content
    assert "no worker for cpu jobs is up" in content


def test_it_tells_when_a_job_will_start(alice: Client, cast: Cast) -> None:
    later = timezone.now() + timedelta(minutes=5)
    job = JobFactory.create(tenant=cast.tenant, attempt=1, run_at=later)
    content = page(alice, job)
    assert "Waits to be tried again after attempt <b>1</b>" in content
    assert "Starts in about <b>" in content


def test_an_input_whose_file_is_gone_is_still_named(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    JobInputFactory.create(job=job, file_id="file_gone")
    assert "file_gone (deleted)" in page(alice, job)


def test_users_text_is_text(alice: Client, cast: Cast) -> None:
    job = JobFactory.create(
        tenant=cast.tenant, output_name="<script>x</script>", params={"input": "</pre><b>"}
    )
    content = page(alice, job)
    assert "<script>x" not in content
    assert "</pre><b>" not in content


@pytest.mark.parametrize("part", ["", "/live", "/log"])
def test_another_tenant_s_is_as_absent_as_a_random_one(
    charlie: Client, cast: Cast, part: str
) -> None:
    job = finished(cast.tenant)
    theirs = charlie.get(f"/jobs/{job.pk}{part}")
    random = charlie.get(f"/jobs/job_{'0' * 26}{part}")
    assert theirs.status_code == random.status_code == 404
    assert theirs.content == random.content


def test_the_whole_log_is_text(alice: Client, cast: Cast) -> None:
    response = alice.get(f"/jobs/{finished(cast.tenant).pk}/log")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.startswith(b"# attempt 1\nline 0\n")


def test_a_viewer_sees_no_buttons(bob: Client, cast: Cast) -> None:
    for job in (finished(cast.tenant), JobFactory.create(tenant=cast.tenant)):
        content = page(bob, job)
        assert "Run again" not in content
        assert "popovertarget" not in content
