from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import Authenticator
from tests.harness.server import Server
from tests.harness.signing_in import code_of

CHROMIUM = "/usr/bin/chromium"
expect.set_options(timeout=20_000)  # the machine is shared with other tests
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio")
_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
PASSWORD = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of every superuser's authenticator
# A superuser for each test that needs one: an authenticator gives a code once in half a minute.
_PEOPLE = f"""
from accounts.models import Authenticator, Membership, Tenant, User
tenant = Tenant.objects.create(name="studio")
for name, role in (
    ("alice", "developer"), ("bob", "viewer"), ("bea", "viewer"), ("ada", "admin")
):
    user = User.objects.create_user(name, password="{PASSWORD}")
    Membership.objects.create(user=user, tenant=tenant, role=role)
for name in ("root", "rita"):
    root = User.objects.create_superuser(name, password="{PASSWORD}")
    Authenticator.objects.create(user=root, secret="{SECRET}", name="test")
User.objects.create_user("ruth", password="{PASSWORD}", is_staff=True)
"""
_SETTINGS = {
    "RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE": "1000000",
    "FFMPEG_THREADS": "1",  # the browser needs the others
}


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The whole product, with a tenant of four people and two superusers."""
    with Server.start(tmp_path_factory.mktemp("site"), settings=_SETTINGS) as started:
        started.await_line("FFAPI serves")
        started.manage("shell", "-c", _PEOPLE)
        yield started


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for this package only: its event loop would forbid Django's ORM in others."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)


@dataclass(frozen=True)
class Visit:
    """One person's window; ``complaints`` is what its console said."""

    page: Page
    url: str
    complaints: list[str]

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")

    def give_password(self, name: str) -> None:
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def give_code(self, secret: str) -> None:
        code = code_of(Authenticator(secret=secret))
        self.page.get_by_role("textbox", name="Code").fill(code)
        self.page.locator("main button.primary").click()

    def sign_in_to_the_admin(self, name: str) -> None:
        self.open("/admin/")
        self.give_password(name)
        self.give_code(SECRET)
        heading = self.page.get_by_role("heading", name="Administration")
        expect(heading).to_be_visible()

    def check_fits(self, *paths: str, widths: Iterable[int]) -> None:
        """Look at each page on screens of all these widths, by day and by night."""
        too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        for path in paths:
            self.open(path)
            for width, scheme in product(widths, _SCHEMES):
                self.page.set_viewport_size({"width": width, "height": 800})
                self.page.emulate_media(color_scheme=scheme)
                assert self.page.evaluate(too_wide) == 0, (path, width, scheme)

    def sign_in(self, name: str, path: str = "/") -> None:
        self.open(f"/login?next={path}")
        self.give_password(name)
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text("Sign in")


@pytest.fixture
def visit(server: Server, browser: Browser) -> Iterator[Visit]:
    """A fresh window; after the test its console must have been silent."""
    context = browser.new_context()
    visit = visiting(context, server)
    yield visit
    context.close()
    assert visit.complaints == []


def visiting(context: BrowserContext, server: Server) -> Visit:
    visit = Visit(context.new_page(), server.url, [])
    visit.page.set_default_timeout(15_000)
    visit.page.on("console", lambda said: _note(visit, said.type, said.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    return visit


def _note(visit: Visit, kind: str, text: str) -> None:
    # The status of a refused form is no mistake of the page.
    if kind in {"error", "warning"} and "status of 422" not in text:
        visit.complaints.append(text)
