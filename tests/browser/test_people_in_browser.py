"""What people do about themselves, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Visit

pytestmark = pytest.mark.slow


def test_staff_enrol_and_get_to_the_admin(visit: Visit) -> None:
    page = visit.page
    visit.open("/admin/")
    visit.give_password("ruth")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up an authenticator")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_text("No camera?").click()
    secret = page.locator("details code").inner_text().replace(" ", "")
    visit.give_code(secret)
    expect(page.locator(".codes code")).to_have_count(10)
    spare = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()

    visit.open("/profile")
    page.context.clear_cookies()
    visit.open("/login")
    visit.give_password("ruth")
    page.get_by_label("Code").fill(spare)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("You have 9 recovery codes left.")).to_be_visible()
    visit.complaints.clear()  # of the admin's theme


def test_a_member_is_removed_after_a_question(visit: Visit) -> None:
    visit.sign_in("ada", "/settings")
    page = visit.page
    page.get_by_label("Role of bea").select_option("operator")
    page.get_by_role("row", name="bea").get_by_role("button", name="Change").click()
    expect(page.get_by_text("bea is operator now.")).to_be_visible()
    page.get_by_role("button", name="Remove bea").click()
    expect(page.get_by_role("heading", name="Remove bea?")).to_be_visible()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_label("Role of bea")).to_have_value("operator")


def test_the_password_is_changed(visit: Visit) -> None:
    visit.sign_in("alice", "/profile/password")
    page = visit.page
    page.get_by_label("Your password").fill("guessed")
    for label in ("New password", "The same again"):
        page.get_by_label(label).fill(PASSWORD)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("alert")).to_contain_text("The password is wrong")
    page.get_by_label("Your password").fill(PASSWORD)
    for label in ("New password", "The same again"):
        page.get_by_label(label).fill(PASSWORD)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()


def test_pages_fit_every_screen(visit: Visit) -> None:
    visit.check_fits("/password/forgotten", widths=(360, 1440))
    visit.sign_in("ada")
    own = ("/profile", "/profile/sessions", "/profile/authenticator", "/profile/password")
    visit.check_fits(*own, "/settings", "/login/enrol", widths=(360, 1440))
