from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from ffapi_site.lib import pagination
from ffapi_site.lib.pagination import PAGE_BYTES
from media_jobs.models import Job
from tests.api.sending import code_of, pointers
from tests.factories import ApiKeyFactory, JobFactory, JobInputFactory

pytestmark = pytest.mark.django_db


def ids(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/v1/jobs{query}")
    assert response.status_code == 200, response.content
    return [each["id"] for each in response.json()["results"]]


def forth_and_back(client: Client, query: str, *, most: int = 200) -> tuple[list[str], list[str]]:
    """What a list shows, page by page: as it goes on, and from there to its beginning."""
    pages = [client.get(f"/v1/jobs{query}").json()]
    assert pages[0]["previous"] is None
    while pages[-1]["next"]:
        pages.append(client.get(pages[-1]["next"]).json())
    assert all(1 <= len(page["results"]) <= most for page in pages)
    back = [pages[-1]]
    while back[0]["previous"]:
        back.insert(0, client.get(back[0]["previous"]).json())
    return _ids_on(pages), _ids_on(back)


def _ids_on(pages: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for page in pages for each in page["results"]]


def test_it_works(client: Client, tenant: Tenant) -> None:
    made = [JobFactory.create(tenant=tenant).pk for _ in range(3)]
    JobFactory.create()
    assert ids(client) == sorted(made, reverse=True)
    assert ids(client, "?ordering=created_at") == sorted(made)


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages_show_every_job_once(
    client: Client, tenant: Tenant, limit: int, ordering: str
) -> None:
    made = sorted(JobFactory.create(tenant=tenant).pk for _ in range(7))
    wanted = made if ordering == "created_at" else made[::-1]
    assert forth_and_back(client, f"?limit={limit}&ordering={ordering}") == (wanted, wanted)


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
def test_a_page_ends_before_it_holds_megabytes(
    client: Client, tenant: Tenant, ordering: str
) -> None:
    found = {"raw": "x" * 200_000}
    made = sorted(JobFactory.create(tenant=tenant, result=found).pk for _ in range(12))
    wanted = made if ordering == "created_at" else made[::-1]
    asked, most = f"?limit=200&ordering={ordering}", PAGE_BYTES // 200_000
    assert forth_and_back(client, asked, most=most) == (wanted, wanted)


def test_what_is_larger_than_a_page_is_a_page(
    client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "PAGE_BYTES", 100)
    made = [JobFactory.create(tenant=tenant, result={"raw": "x" * 200}).pk for _ in range(2)]
    page = client.get("/v1/jobs").json()
    assert [each["id"] for each in page["results"]] == made[1:]
    assert [each["id"] for each in client.get(page["next"]).json()["results"]] == made[:1]


def test_more_than_are_read_at_once(client: Client, tenant: Tenant) -> None:
    made = sorted(JobFactory.create(tenant=tenant).pk for _ in range(103))
    assert ids(client, "?limit=102") == made[::-1][:102]
    assert ids(client, "?limit=103") == made[::-1]


def test_a_job_made_while_paging_moves_nothing(client: Client, tenant: Tenant) -> None:
    made = [JobFactory.create(tenant=tenant).pk for _ in range(4)]
    first = client.get("/v1/jobs?limit=2").json()
    JobFactory.create(tenant=tenant)
    second = client.get(first["next"]).json()
    assert [each["id"] for each in second["results"]] == [made[1], made[0]]


def test_filters(client: Client, tenant: Tenant) -> None:
    key = ApiKeyFactory.create(tenant=tenant)
    plain = JobFactory.create(tenant=tenant)
    Job.objects.filter(pk=plain.pk).update(created_at=timezone.now() - timedelta(days=2))
    other = JobFactory.create(
        tenant=tenant, failed=True, operation="probe", tags=["a", "b"], api_key=key
    )
    JobInputFactory.create(job=other, url="https://example.org/50%_off.mp4")
    yesterday = quote((timezone.now() - timedelta(days=1)).isoformat())
    for query in (
        "?status=failed",
        "?operation=probe",
        "?tag=b",
        f"?api_key={key.pk}",
        f"?created_after={yesterday}",
        "?search=50%25_off",
        f"?search={other.pk[4:]}",
        f"?status=failed&tag=a&created_after={yesterday}",
    ):
        assert ids(client, query) == [other.pk], query
    assert ids(client, f"?created_before={yesterday}") == [plain.pk]
    assert ids(client, "?tag=a%2Cb") == []
    assert ids(client, "?search=5%25_off") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=-1", "limit=x", "limit=1e2", "limit=%D9%A1", "limit=",
        "limit=1&limit=2", "status=done", "operation=nope", "ordering=params", "ordering=-",
        "created_after=yesterday", "created_after=2025-02-30T00:00:00Z", "api_key=x%27",
        "search=%00", "tag=%00", "cursor=%00", "page=2", "created_after=%00", f"search={'x' * 301}",
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(client: Client, query: str) -> None:
    name = query.split("=", maxsplit=1)[0]
    assert pointers(client.get(f"/v1/jobs?{query}")) == [f"?{name}"]


def test_only_our_own_cursors_are_read(client: Client, tenant: Tenant) -> None:
    for _ in range(2):
        JobFactory.create(tenant=tenant)
    following = client.get("/v1/jobs?limit=1").json()["next"]
    cursor = parse_qs(urlsplit(following).query)["cursor"][0]
    for tampered in ("", "x", "WyIi:x", cursor[:-1], cursor[1:], cursor.upper()):
        assert code_of(client.get(f"/v1/jobs?cursor={tampered}"), 400) == "bad_cursor"
    turned = client.get(f"{following}&ordering=created_at")
    assert code_of(turned, 400) == "bad_cursor"


def test_anothers_key_finds_nothing(client: Client) -> None:
    foreign = JobFactory.create(api_key=ApiKeyFactory.create())
    assert ids(client, f"?api_key={foreign.api_key_id}") == []
    assert ids(client, f"?search={foreign.pk}") == []


def test_a_search_looks_through_the_newest_only(
    tenant: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each would read all of a large table; whoever wants older ones says of when."""
    monkeypatch.setattr("accounts.models.tenant.SEARCHED_ROWS", 2)
    old, *newer = [JobFactory.create(tenant=tenant) for _ in range(4)]
    for job in (old, *newer):
        JobInputFactory.create(job=job, url="https://example.org/film.mp4")
    JobFactory.create_batch(3)  # of strangers, who use up nothing
    assert ids(client, "?search=film") == [newer[2].pk, newer[1].pk]
    assert ids(client, f"?search={old.pk}") == [old.pk]
    Job.objects.filter(pk__in=[newer[1].pk, newer[2].pk]).update(operation="probe")
    assert ids(client, "?search=film&operation=transcode") == [newer[0].pk, old.pk]
