"""That pages do all they should under their content policy, as a real browser sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.slow

# Tries of an attacker who could write into a page; each tells whether it ran.
INLINE = """() => {
    window.ran = [];
    const add = (tag, fill) => {
        const element = document.createElement(tag);
        fill(element);
        document.body.append(element);
    };
    add("script", script => script.textContent = "window.ran.push('script')");
    add("div", div => div.innerHTML = "<img src=x onerror=\\"window.ran.push('handler')\\">");
    add("a", link => { link.href = "javascript:window.ran.push('link')"; link.click(); });
    add("iframe", frame => frame.srcdoc = "<script>parent.ran.push('frame')</script>");
    add("script", script => script.src = "data:text/javascript,window.ran.push('data')");
    // Not at once: what a debugger calls may compute expressions in any case.
    setTimeout(() => { try { eval("window.ran.push('eval')"); } catch {} });
    return new Promise(done => setTimeout(() => done(window.ran), 500));
}"""


def requests(visit: Visit) -> list[str]:
    """What the window asks for, from now on."""
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    return asked


def elsewhere(visit: Visit, asked: list[str]) -> list[str]:
    return [url for url in asked if not url.startswith((visit.url, "data:", "blob:"))]


def test_it_works(visit: Visit) -> None:
    asked = requests(visit)
    visit.sign_in("alice")
    for path in ("/", "/jobs", "/files", "/operations", "/operations/transcode/new"):
        visit.open(path)
        expect(visit.page.get_by_role("heading", level=1)).to_be_visible()
    assert elsewhere(visit, asked) == []


def test_swagger_ui_runs_under_it(visit: Visit) -> None:
    asked = requests(visit)
    visit.open("/docs/")
    page = visit.page
    expect(page.get_by_role("heading", name="FFAPI")).to_be_visible()
    page.locator(".opblock-summary").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    expect(page.get_by_role("button", name="Execute").first).to_be_visible()
    assert elsewhere(visit, asked) == []


def test_redoc_runs_under_it(visit: Visit) -> None:
    asked = requests(visit)
    visit.open("/redoc/")
    page = visit.page
    expect(page.get_by_role("heading", name="FFAPI")).to_be_visible()
    expect(page.locator(".menu-content")).to_have_css("position", "sticky")
    expect(page.get_by_alt_text("redocly logo")).to_have_attribute(
        "src", re.compile("^/static/img/mark")
    )
    page.get_by_placeholder("Search...").fill("probe")
    expect(page.get_by_role("menuitem").first).to_be_visible()
    assert elsewhere(visit, asked) == []


def test_what_somebody_slips_into_a_page_does_not_run(visit: Visit) -> None:
    visit.sign_in("alice")
    for path in ("/", "/jobs", "/login", "/docs/", "/docs/errors", "/nothing"):
        visit.open(path)
        visit.complaints.clear()
        assert visit.page.evaluate(INLINE) == [], path
        assert [each for each in visit.complaints if "Content Security Policy" in each], path
    visit.complaints.clear()


def test_the_admin_lets_only_expressions_of_its_theme_run(visit: Visit) -> None:
    visit.sign_in_to_the_admin("rita")
    page = visit.page
    assert page.evaluate(INLINE) == ["eval"]
    visit.complaints.clear()


def test_no_other_page_can_frame_ours(visit: Visit) -> None:
    visit.sign_in("alice")
    page = visit.page
    framed = """url => new Promise(done => {
        const frame = document.createElement("iframe");
        frame.onload = () => done(frame.contentDocument === null);
        frame.src = url;
        document.body.append(frame);
    })"""
    assert page.evaluate(framed, "/jobs")
    assert [each for each in visit.complaints if "frame" in each.lower()]
    visit.complaints.clear()


def test_the_icon_is_there(visit: Visit) -> None:
    """Pages that name none let the browser ask for it, and its console stays silent."""
    for path in ("/redoc/", "/docs/", "/v1/openapi.json", "/health/live"):
        visit.open(path)
    answer = visit.page.request.get(f"{visit.url}/favicon.ico")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
