from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.factories import FileFactory, JobFactory
from tests.harness.cast import Cast


class Outline(HTMLParser):
    """What every page owes its readers, counted."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]


@pytest.fixture
def pages(cast: Cast) -> list[str]:
    FileFactory.create(tenant=cast.tenant)
    jobs = [
        JobFactory.create(tenant=cast.tenant),
        JobFactory.create(tenant=cast.tenant, running=True),
        JobFactory.create(tenant=cast.tenant, completed=True),
        JobFactory.create(tenant=cast.tenant, failed=True, error={"title": "Broken"}),
    ]
    forms = ["/operations/transcode/new", "/compose/video"]
    return ["/", "/jobs", "/operations", "/files", *forms, *(f"/jobs/{job.pk}" for job in jobs)]


@pytest.mark.parametrize("path", ["/keys/key_1/rotate", "/audit/export", "/profile/address"])
def test_an_address_that_only_takes_posts_says_so_on_a_page(alice: Client, path: str) -> None:
    answer = alice.get(path)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    content = answer.content.decode()
    assert "That method is not for this address" in content
    assert f'href="{path}"' not in content


def test_it_works(alice: Client, pages: list[str]) -> None:
    for page in pages:
        response = alice.get(page)
        outline = Outline(response.content.decode())
        assert response.status_code == 200, page
        assert outline.count("title") == outline.count("h1") == outline.count("main") == 1, page
        assert len(outline.ids) == len(set(outline.ids)), page


def test_the_skip_link_comes_first(alice: Client, pages: list[str]) -> None:
    for page in pages:
        elements = Outline(alice.get(page).content.decode()).elements
        first = next(attributes for tag, attributes in elements if tag in {"a", "button", "input"})
        assert first["href"] == "#main", page


def test_nothing_is_written_that_the_content_policy_forbids(
    alice: Client, pages: list[str]
) -> None:
    for page in pages:
        response = alice.get(page)
        assert "unsafe" not in response["Content-Security-Policy"]
        for tag, attributes in Outline(response.content.decode()).elements:
            assert tag != "style", page
            assert tag != "script" or str(attributes.get("src")).startswith("/static/"), page
            assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_pages_are_not_kept_by_caches(alice: Client, pages: list[str]) -> None:
    for page in pages:
        assert "no-store" in alice.get(page)["Cache-Control"], page


@pytest.mark.parametrize("page", ["/nothing", "/jobs/job_nothing", "/operations/nothing/new"])
def test_what_is_absent_is_told_by_a_page(alice: Client, page: str) -> None:
    response = alice.get(page)
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
