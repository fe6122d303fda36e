from __future__ import annotations

import re

import pytest
from django.test import Client

from media_jobs.models import Job
from tests.factories import FileFactory, JobFactory, JobInputFactory
from tests.harness.cast import Cast


def listed(client: Client, query: str = "") -> list[Job]:
    return list(client.get(f"/jobs?{query}").context["page"].rows)


def test_it_works(alice: Client, cast: Cast) -> None:
    jobs = JobFactory.create_batch(2, tenant=cast.tenant)
    assert listed(alice) == sorted(jobs, key=lambda job: job.pk, reverse=True)


def test_it_shows_no_other_tenant_s(alice: Client, charlie: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant)
    assert listed(alice)
    assert not listed(charlie)


def test_staff_see_everybody_s_and_whose(staff: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant)
    JobFactory.create(tenant=cast.other_tenant)
    content = staff.get("/jobs").content.decode()
    assert "studio" in content
    assert "rival" in content
    assert "New job</a>\n    </div>" not in content


def test_it_filters(alice: Client, cast: Cast) -> None:
    failed = JobFactory.create(tenant=cast.tenant, failed=True, operation="video/thumbnails")
    JobFactory.create(tenant=cast.tenant)
    assert listed(alice, "status=failed") == [failed]
    assert listed(alice, "operation=video/thumbnails") == [failed]
    assert listed(alice, "status=failed&operation=transcode") == []


def test_it_finds_by_id_input_and_output(alice: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant)
    by_url, by_file, by_name = JobFactory.create_batch(3, tenant=cast.tenant)
    JobInputFactory.create(job=by_url, url="https://example.org/Holiday.mov")
    file = FileFactory.create(tenant=cast.tenant, name="Fähre.mp4")
    JobInputFactory.create(job=by_file, file=file)
    Job.objects.filter(pk=by_name.pk).update(output_name="trailer.mp4")
    assert listed(alice, "search=holiday") == [by_url]
    assert listed(alice, "search=fähre") == [by_file]
    assert listed(alice, "search=trailer") == [by_name]
    assert listed(alice, f"search={by_url.pk}") == [by_url]


def test_a_whole_id_is_found_however_old(
    alice: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts are looked for among the newest only."""
    monkeypatch.setattr("accounts.models.tenant.SEARCHED_ROWS", 1)
    old, newest = (JobFactory.create(tenant=cast.tenant, output_name="a.mp4") for _ in range(2))
    assert listed(alice, "search=a.mp4") == [newest]
    assert listed(alice, f"search={old.pk}") == [old]


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "before=job_1",
        "status=",
        "operation=",
        "search=",
    ],
)
def test_it_takes_any_query(alice: Client, cast: Cast, query: str) -> None:
    JobFactory.create(tenant=cast.tenant)
    assert alice.get(f"/jobs?{query}").status_code == 200


@pytest.mark.parametrize("query", ["status=nope", "status=%ff", "operation=../.."])
def test_a_wrong_filter_is_told_of(alice: Client, query: str) -> None:
    answer = alice.get(f"/jobs?{query}")
    assert answer.status_code == 422
    assert f"{query.partition('=')[0]}: must be one of" in answer.content.decode()


def test_every_job_is_on_exactly_one_page_both_ways(alice: Client, cast: Cast) -> None:
    jobs = JobFactory.create_batch(60, tenant=cast.tenant, failed=True)
    made = sorted(job.pk for job in jobs)
    walked, query = [], "status=failed"
    while query:
        page = alice.get(f"/jobs?{query}").context["page"]
        walked += [job.pk for job in page.rows]
        newest_query, query = query, page.older
    assert walked == made[::-1]
    back = alice.get(f"/jobs?{newest_query}").context["page"]
    middle = alice.get(f"/jobs?{back.newer}").context["page"]
    assert [job.pk for job in middle.rows] == made[10:35][::-1]
    assert "status=failed" in middle.newer


def test_it_asks_again_only_while_a_shown_job_is_active(alice: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant, running=True)
    content = alice.get("/jobs?status=running").content.decode()
    assert re.search(r'data-hx-get="/jobs\?status=running"', content)
    assert "data-hx-get" not in alice.get("/jobs?status=failed").content.decode()


def test_an_empty_filter_says_so(alice: Client, cast: Cast) -> None:
    JobFactory.create(tenant=cast.tenant)
    assert "No job fits this filter" in alice.get("/jobs?status=failed").content.decode()


def test_the_number_of_queries_does_not_grow_with_the_rows(
    alice: Client, cast: Cast, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for job in JobFactory.create_batch(20, tenant=cast.tenant):
        JobInputFactory.create(job=job)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        alice.get("/jobs")
