"""A real browser on a real server: what people do, from signing in to watching the result."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import Visit
from tests.harness.media import Samples

pytestmark = pytest.mark.slow
_PLAYED_S = """async video => {
    await video.play();
    while (video.currentTime < 0.4) await new Promise(seen => video.ontimeupdate = seen);
    return video.currentTime;
}"""
_FORM = "/operations/transcode/new"


def focused(page: Page) -> Any:
    return page.evaluate("document.activeElement.textContent.trim()")


def start_long_job(visit: Visit, media: Samples) -> None:
    visit.sign_in("alice", "/operations/image/to-video/new")
    page = visit.page
    page.locator("input[type=file]").first.set_input_files(media.path("photo"))
    expect(page.locator("output").first).to_have_text("photo.jpg is uploaded.", timeout=20_000)
    page.get_by_label("Duration").fill("600")
    page.get_by_label("Resolution").fill("1080p")
    page.get_by_role("button", name="Start the job").click()


def test_it_works(visit: Visit, media: Samples) -> None:
    visit.sign_in("alice", _FORM)
    page = visit.page
    page.locator("input[type=file]").set_input_files(media.path("film"))
    expect(page.locator("output")).to_have_text("film.mp4 is uploaded.", timeout=20_000)
    expect(page.locator("select[data-files] option:checked")).to_contain_text("film.mp4")

    page.get_by_label("Crf").fill("99")
    page.get_by_role("button", name="Start the job").click()
    wrong = page.get_by_label("Crf")
    expect(wrong).to_have_value("99")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#field-crf-error")).to_contain_text("less than or equal to 63")
    expect(page.locator("#form-errors")).to_be_focused()

    wrong.fill("30")
    page.get_by_label("Output format").select_option("webm")
    page.get_by_role("button", name="Start the job").click()
    expect(page).to_have_url(re.compile(r"/jobs/job_\w{26}$"))
    expect(page.locator("#state .badge")).to_have_text("completed", timeout=60_000)

    video = page.locator("video")
    assert video.evaluate(_PLAYED_S) > 0.3
    assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [640, 360]


def test_an_ended_job_s_page_asks_no_more(visit: Visit, media: Samples) -> None:
    start_long_job(visit, media)
    page = visit.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("progress")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator("#state .badge")).to_have_text("canceled")
    assert [url for url in asked if url.endswith("/live")]
    asked.clear()
    page.wait_for_timeout(3_000)
    assert asked == []


def test_an_open_question_outlives_the_page_s_updates(visit: Visit, media: Samples) -> None:
    start_long_job(visit, media)
    page = visit.page
    expect(page.locator("progress")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Let it run")).to_be_focused()
    for _ in range(2):
        page.wait_for_event("response", lambda answer: answer.url.endswith("/live"))
    page.wait_for_timeout(200)
    expect(page.get_by_role("button", name="Let it run")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Let it run")).to_be_hidden()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()


def test_the_list_follows_a_job(visit: Visit, media: Samples) -> None:
    start_long_job(visit, media)
    page = visit.page
    job_path = page.url.removeprefix(visit.url)
    visit.open("/jobs?status=")
    row = page.locator("tr", has=page.locator(f'a[href="{job_path}"]'))
    expect(row.locator("progress")).to_be_visible(timeout=60_000)
    first = row.locator("progress").get_attribute("value")
    expect(row.locator("progress")).not_to_have_attribute("value", str(first), timeout=30_000)
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    answer = page.request.post(f"{visit.url}{job_path}/cancel", form={"csrfmiddlewaretoken": token})
    assert answer.ok
    expect(row.locator(".badge")).to_have_text("canceled")


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit.page
    visit.open("/login")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery staple")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    expect(page.locator(".skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert focused(page) == "New job"


def test_rows_of_a_list_are_added_moved_and_removed(visit: Visit) -> None:
    visit.sign_in("alice", "/operations/video/concat/new")
    page = visit.page
    rows = page.locator("[data-media-list] li")
    before = rows.count()
    page.get_by_role("button", name="Add another").click()
    expect(rows).to_have_count(before + 1)
    rows.last.locator("[data-address]").fill("https://example.org/last.mp4")
    rows.last.get_by_role("button", name="Move up").click()
    expect(rows.nth(before - 1).locator("[data-address]")).to_have_value(
        "https://example.org/last.mp4"
    )
    rows.first.get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(before)


def test_an_upload_that_is_refused_says_why(visit: Visit) -> None:
    visit.sign_in("alice", "/files")
    page = visit.page
    text = FilePayload(name="a.mp4", mimeType="video/mp4", buffer=b"just text")
    page.get_by_label("File", exact=True).set_input_files(text)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("output[data-kind=error]")).to_contain_text("plain text")


def begin_upload_and_start(page: Page, file: Path | FilePayload) -> Route:
    """Press the button while the file is on its way; it arrives when the answer is continued."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/upload?*", hold)
    with page.expect_request("**/upload?*"):
        page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Crf").fill("31")
    page.get_by_role("button", name="Start the job").click()
    expect(page.get_by_role("button", name="Waiting for the upload…")).to_be_disabled()
    return held[0]


def test_a_job_started_during_its_upload_waits_for_it(visit: Visit, media: Samples) -> None:
    visit.sign_in("alice", _FORM)
    page = visit.page
    begin_upload_and_start(page, media.path("film")).continue_()
    expect(page).to_have_url(re.compile(r"/jobs/job_\w{26}$"))
    expect(page.locator("main")).to_contain_text("film.mp4")


def test_a_job_whose_upload_is_refused_is_not_started(visit: Visit) -> None:
    visit.sign_in("alice", _FORM)
    page = visit.page
    text = FilePayload(name="a.mp4", mimeType="video/mp4", buffer=b"just text")
    begin_upload_and_start(page, text).continue_()
    expect(page.locator("output[data-kind=error]")).to_contain_text("plain text")
    expect(page.get_by_role("button", name="Start the job")).to_be_enabled()
    expect(page.locator("input[type=file]")).to_be_focused()
    expect(page.get_by_label("Crf")).to_have_value("31")
    expect(page).to_have_url(re.compile(f"{_FORM}$"))
    expect(page.locator("#form-errors")).to_have_count(0)


def test_a_viewer_sees_and_changes_nothing(visit: Visit) -> None:
    visit.sign_in("bob", "/jobs")
    expect(visit.page.get_by_role("link", name="New job")).to_have_count(0)
    visit.open("/operations")
    expect(visit.page.get_by_role("link", name=re.compile("^Set up"))).to_have_count(0)


def test_pages_fit_every_screen(visit: Visit) -> None:
    visit.sign_in("alice")
    own = ("/", "/jobs", "/operations", "/files", _FORM, "/operations/video/concat/new")
    visit.check_fits(*own, widths=(360, 768, 1440))


def test_the_admin_runs_under_its_policy(visit: Visit) -> None:
    visit.sign_in_to_the_admin("root")
    page = visit.page
    for path in ("media_jobs/job/", "accounts/tenant/", "accounts/apikey/", "storage/file/"):
        visit.open(f"/admin/{path}")
        expect(page.locator("#main")).to_be_visible()
