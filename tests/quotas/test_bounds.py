from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import Tenant
from accounts.quotas import limits
from accounts.quotas.bounds import Bounds
from ffapi_site.lib.problems import Invalid
from media_jobs.engine import jobs
from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.models import Job
from media_jobs.operations.core import InvalidParams
from media_jobs.planning import media_limits
from storage import hooks, store
from storage.models import File
from tests.factories import ApiKeyFactory
from tests.harness.media import Samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def film(tenant: Tenant, media: Samples) -> File:
    path = media.path("film")
    file = store.add(
        tenant.pk,
        path,
        name="film.mp4",
        origin="upload",
        media=hooks.inspect(path, tenant.pk),
        move=False,
    )
    store.publish(file)
    return file


@pytest.fixture
def submit(tenant: Tenant, film: File) -> Callable[..., Job]:
    def asked(**params: object) -> Job:
        return jobs.submit(tenant, jobs.Submission("transcode", {"input": film.pk} | params))

    return asked


def refused(make: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Invalid) as problem:
        make()
    (error,) = problem.value.errors
    assert error.code == "quota_exceeded"
    return error.pointer, error.detail


def test_it_works(tenant: Tenant, submit: Callable[..., Job], film: File) -> None:
    info = MediaInfo.from_json(film.media or {})
    assert info.video
    assert info.duration_s
    limits.set_for_tenant(
        tenant,
        {
            "max_job_duration_sec": round(info.duration_s) + 1,
            "max_resolution": min(info.video.width, info.video.height),
            "max_frame_rate": round(info.video.fps),
        },
    )
    assert submit().status == "queued"


def test_a_film_may_be_too_long(tenant: Tenant, submit: Callable[..., Job]) -> None:
    limits.set_for_tenant(tenant, {"max_job_duration_sec": 1})
    pointer, detail = refused(submit)
    assert pointer == "/params/input"
    assert "max_job_duration_sec is 1" in detail
    assert not Job.objects.exists()


def test_a_film_may_have_too_many_lines(tenant: Tenant, submit: Callable[..., Job]) -> None:
    limits.set_for_tenant(tenant, {"max_resolution": 90})
    assert refused(submit)[0] == "/params/input"


def test_a_film_may_be_too_fast(tenant: Tenant, submit: Callable[..., Job]) -> None:
    limits.set_for_tenant(tenant, {"max_frame_rate": 5})
    assert refused(submit)[0] == "/params/input"


def test_what_is_asked_for_is_bounded_too(tenant: Tenant, submit: Callable[..., Job]) -> None:
    limits.set_for_tenant(tenant, {"max_resolution": 720, "max_frame_rate": 30})
    assert refused(lambda: submit(resolution="1080p"))[0] == "/params/resolution"
    assert refused(lambda: submit(fps=60))[0] == "/params/fps"
    assert submit(resolution="480p", fps="30000/1001").status == "queued"


def test_a_key_has_its_own(tenant: Tenant, film: File) -> None:
    key = ApiKeyFactory.create(tenant=tenant)
    limits.set_for_key(key, {"max_job_duration_sec": 1})
    asked = jobs.Submission("transcode", {"input": film.pk})
    refused(lambda: jobs.submit(tenant, asked, api_key=key))
    assert jobs.submit(tenant, asked).status == "queued"


def test_an_upright_film_is_as_large_as_one_that_lies(tmp_path: Path, film: File) -> None:
    lying = MediaInfo.from_json(film.media or {})
    assert lying.video
    bounds = Bounds(lines=min(lying.video.width, lying.video.height))
    upright = film.media or {}
    video = upright["video"]
    video["width"], video["height"] = video["height"], video["width"]
    for info in (lying, MediaInfo.from_json(upright)):
        media_limits.check_media("input", info, bounds)
    with pytest.raises(InvalidParams):
        media_limits.check_media("input", lying, Bounds(lines=20))
