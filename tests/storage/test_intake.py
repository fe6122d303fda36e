"""There is one way in for bytes, and whoever takes it gets the same answers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.models import Tenant
from ffapi_site.lib.problems import Invalid, TooLarge, Unavailable
from storage import intake, store
from storage.intake.landing import landing
from storage.models import File
from storage.models.file import Origin
from tests.factories import MembershipFactory, TenantFactory, UserFactory
from tests.harness.api_client import client_of
from tests.harness.signing_in import sign_in

pytestmark = pytest.mark.django_db
SUBTITLES = b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n"


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


@pytest.fixture
def person(tenant: Tenant) -> Client:
    user = UserFactory.create()
    MembershipFactory.create(tenant=tenant, user=user)
    return sign_in(Client(), user)


def arrive(tenant: Tenant, content: bytes, name: str = "a.srt") -> File:
    sender = intake.Sender(tenant)
    with intake.place_for_upload(sender, len(content)) as place:
        place.path.write_bytes(content)
        return intake.Arrival(sender, place, name, "", Origin.UPLOAD, "/file", "").take_in()


def test_it_works(tenant: Tenant) -> None:
    file = arrive(tenant, SUBTITLES, "folder/a.srt")
    assert (file.name, file.content_type, file.size_bytes) == ("a.srt", "text/x-subrip", 39)
    assert file.published_at is None
    with store.open_content(file) as content:
        assert content.read() == SUBTITLES
    assert not list(Path(str(settings.FILE_UPLOAD_TEMP_DIR)).iterdir())


def test_what_is_refused_leaves_nothing(tenant: Tenant) -> None:
    with pytest.raises(Invalid) as problem:
        arrive(tenant, b"#EXTM3U\n")
    assert [(each.pointer, each.code) for each in problem.value.errors] == [
        ("/file", "playlist_refused")
    ]
    assert not File.objects.exists()
    assert not list(Path(str(settings.FILE_UPLOAD_TEMP_DIR)).iterdir())


def test_without_the_scanner_it_is_nobodys_mistake(tenant: Tenant, settings: Settings) -> None:
    settings.ENABLE_VIRUS_SCANNING, settings.CLAMAV_SOCKET = True, "/nowhere/clamd"
    with pytest.raises(Unavailable):
        arrive(tenant, SUBTITLES)


def test_what_a_job_made_is_not_judged_again(tenant: Tenant, tmp_path: Path) -> None:
    made = tmp_path / "made.txt"
    made.write_bytes(b"what no sender could send\n")
    file = intake.take_output(tenant.pk, None, made, name="a.txt", media=None, watch=lambda: None)
    assert (file.origin, file.published_at) == (Origin.JOB, None)
    assert not made.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.mp4"),
        (b"hello", "a.mp4"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "a.mp4"),
        (b"<svg onload=alert(1)>", "a.mp4"),
        (b"\x7fELF", "a.mp4"),
    ],
)
def test_api_and_pages_answer_alike(
    tenant: Tenant, person: Client, content: bytes, name: str
) -> None:
    by_api = client_of(tenant).post("/v1/files", {"file": SimpleUploadedFile(name, content)})
    by_page = person.post(
        f"/files/upload?name={name}", content, content_type="application/octet-stream"
    )
    told = [
        {key: value for key, value in answer.json().items() if key != "request_id"}
        for answer in (by_api, by_page)
    ]
    assert told[0] == told[1]
    assert told[0]["status"] == 422


@pytest.mark.parametrize("outage", ["scanner", "disk", "busy"])
def test_api_and_pages_share_their_outages(
    tenant: Tenant, person: Client, settings: Settings, outage: str
) -> None:
    """The page once answered 500 where the API said 503."""
    if outage == "scanner":
        settings.ENABLE_VIRUS_SCANNING, settings.CLAMAV_SOCKET = True, "/nowhere/clamd"
    elif outage == "disk":
        settings.MIN_FREE_SPACE_MB = 10**9
    else:
        settings.AT_ONCE_PER_TENANT = settings.AT_ONCE_PER_TENANT | {"uploads": 0}
    by_api = client_of(tenant).post("/v1/files", {"file": SimpleUploadedFile("a.srt", SUBTITLES)})
    by_page = person.post(
        "/files/upload?name=a.srt",
        SUBTITLES,
        content_type="application/octet-stream",
        headers={"Accept": "application/json"},
    )
    assert by_api.status_code == by_page.status_code
    assert by_api.status_code in {429, 503}
    assert by_api.json()["code"] == by_page.json()["code"]
    assert by_api["Retry-After"] == by_page["Retry-After"]


def test_a_landing_leaves_nothing() -> None:
    with landing(0, most_bytes=10) as place, place.create() as target:
        target.write(b"half")
    assert not place.path.exists()


def test_a_body_is_bounded_whatever_was_announced() -> None:
    def write(size_bytes: int) -> int:
        request = RequestFactory().post("/", bytes(size_bytes), content_type="video/mp4")
        with landing(0, most_bytes=10) as place:
            place.write_body(request)
            return place.path.stat().st_size

    assert write(10) == 10
    with pytest.raises(TooLarge):
        write(11)


def test_nothing_else_stores_bytes() -> None:
    """``store.add`` judges nothing, so nobody but intake calls it; nor asks the back end itself."""
    found = {
        (str(path.relative_to(settings.BASE_DIR)), call)
        for package in ("ffapi_site", "accounts", "storage", "media_jobs")
        for path in Path(settings.BASE_DIR / package).rglob("*.py")
        for call in _calls(path)
        if call in {"store.add", "backends.media", "storages['media']"}
    }
    assert found == {
        ("storage/intake/arrivals.py", "store.add"),
        ("storage/store.py", "backends.media"),
        ("storage/backends/__init__.py", "storages['media']"),
        ("ffapi_site/observability/health.py", "storages['media']"),  # whether it answers
    }


def _calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute | ast.Subscript):
            yield ast.unparse(node)
