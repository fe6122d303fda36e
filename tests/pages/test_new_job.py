from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from media_jobs.models import Job
from media_jobs.operations.core import REGISTRY
from storage.models import File
from tests.factories import FileFactory, JobFactory
from tests.harness.cast import Cast
from tests.harness.media import Samples

URL = "/operations/transcode/new"


@pytest.fixture
def film(alice: Client, media: Samples) -> File:
    content = media.path("film").read_bytes()
    alice.post("/files/upload?name=film.mp4", content, content_type="application/octet-stream")
    return File.objects.get()


def fields(response: Any) -> dict[str, Any]:
    form = response.context["form"]
    return {each.name: each for each in (*form.inputs, *form.settings, *form.about)}


def test_it_works(alice: Client, cast: Cast, film: File) -> None:
    form = {
        "input.file": film.pk,
        "input.url": "",
        "output_format": "webm",
        "crf": "28",
        "resolution": '{"width": 320}',
        "two_pass": "",
        "faststart": "true",
        "keep_metadata": "true",
        "job.output_name": "trailer",
        "job.priority": "high",
        "job.tags": "one, two",
        "job.webhook_url": "",
    }
    form["start"] = "0.5"
    response = alice.post(URL, {name: value for name, value in form.items() if name != "two_pass"})
    job = Job.objects.get()
    assert response["Location"] == f"/jobs/{job.pk}"
    assert job.params == {
        "input": film.pk,
        "output_format": "webm",
        "crf": 28,
        "start": 0.5,
        "resolution": {"width": 320},
    }
    assert (job.tenant, job.user, job.output_name) == (cast.tenant, cast.alice, "trailer")
    assert (job.get_priority_display(), job.tags) == ("High", ["one", "two"])


def test_a_box_that_is_unchecked_is_a_value(alice: Client, film: File) -> None:
    alice.post(URL, {"input.file": film.pk, "input.url": "", "keep_metadata": "true"})
    assert Job.objects.get().params == {"input": film.pk, "faststart": False}


def test_it_takes_lists_of_media_in_order(alice: Client, film: File) -> None:
    rows = {"inputs.file": [film.pk, "", "", film.pk], "inputs.url": ["", "", " ", ""]}
    alice.post("/operations/video/concat/new", rows)
    assert Job.objects.get().params == {"inputs": [film.pk, film.pk]}


def test_it_takes_nested_values_and_lists(alice: Client, film: File) -> None:
    form = {"input.file": film.pk, "input.url": ""}
    filters = '[{"type": "grayscale"}]'
    alice.post("/operations/video/filter/new", form | {"filters": filters})
    assert Job.objects.get().params["filters"][0]["type"] == "grayscale"
    alice.post("/operations/video/thumbnails/new", form | {"timestamps": "0, 1.5"})
    assert Job.objects.first().params["timestamps"] == [0.0, 1.5]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("crf", "99"),
        ("crf", "abc"),
        ("output_format", "exe"),
        ("video_bitrate", "much"),
        ("resolution", '{"width"'),
        ("start", "900"),
        ("input.url", "ftp://example.org/a.mp4"),
        ("input.url", "file_nothing"),
        ("job.webhook_url", "http://169.254.169.254/"),
        ("job.output_name", "a/b"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_kept(
    alice: Client, film: File, name: str, typed: str
) -> None:
    form = {"input.file": film.pk, "input.url": "", "job.tags": "kept"} | {name: typed}
    response = alice.post(URL, form)
    shown = fields(response)
    field = shown[name.removesuffix(".url")]
    assert response.status_code == 422
    assert field.errors, {name: each.errors for name, each in shown.items() if each.errors}
    assert typed in (field.text, *(medium.value for medium in field.media))
    assert f'<a href="#{field.id}">' in response.content.decode()
    assert shown["job.tags"].text == "kept"
    assert not Job.objects.exists()


def test_what_no_text_can_hold_is_left_out(alice: Client, film: File) -> None:
    form = {"input.file": f"{film.pk}\0", "input.url": "\0", "job.output_name": "tra\0iler"}
    assert alice.post(URL, form).status_code == 302
    assert Job.objects.get().output_name == "trailer"


def test_a_missing_input_is_told(alice: Client) -> None:
    response = alice.post(URL, {})
    assert response.status_code == 422
    assert fields(response)["input"].errors == ("is required",)


def test_the_wrong_one_of_a_list_is_told(alice: Client, film: File) -> None:
    rows = {"inputs.file": [film.pk, ""], "inputs.url": ["", "file_nothing"]}
    response = alice.post("/operations/video/concat/new", rows)
    first, second = fields(response)["inputs"].media[:2]
    assert not first.errors
    assert second.errors


@pytest.mark.parametrize(
    "typed", ["[" * 100_000, '["\\u0000"]', '[{"a": NaN}]', "[1, ", '"\\ud800"']
)
def test_no_json_breaks_it(alice: Client, film: File, typed: str) -> None:
    form = {"input.file": film.pk, "input.url": "", "filters": typed}
    assert alice.post("/operations/video/filter/new", form).status_code == 422


@pytest.mark.parametrize("name", ["output_name", "webhook_url", "tags"])
def test_what_looks_like_an_object_is_a_text_where_a_text_is_asked_for(
    alice: Client, film: File, name: str
) -> None:
    form = {"input.file": film.pk, "input.url": "", f"job.{name}": '{"a": 1}'}
    answer = alice.post(URL, form)
    assert answer.status_code == (422 if name == "webhook_url" else 302)


def test_what_is_no_json_is_told_of_the_field(alice: Client, film: File) -> None:
    form = {"input.file": film.pk, "input.url": "", "filters": "[1, "}
    response = alice.post("/operations/video/filter/new", form)
    [error] = fields(response)["filters"].errors
    assert error.startswith("this text is not JSON: ")


def test_another_tenant_s_file_is_as_absent_as_a_random_one(
    alice: Client, cast: Cast, film: File
) -> None:
    theirs = FileFactory.create(tenant=cast.other_tenant)
    answers = [
        fields(alice.post(URL, {"input.file": file, "input.url": ""}))["input"].errors
        for file in (theirs.pk, f"file_{'0' * 26}")
    ]
    assert answers[0][0].replace(theirs.pk, f"file_{'0' * 26}") == answers[1][0]
    assert theirs.pk not in alice.get(URL).content.decode()


def test_it_offers_the_tenant_s_files(alice: Client, film: File) -> None:
    assert f'<option value="{film.pk}"' in alice.get(URL).content.decode()


def test_it_starts_from_another_job(alice: Client, cast: Cast, film: File) -> None:
    params = {"input": film.pk, "crf": 30, "resolution": {"width": 320}, "faststart": False}
    job = JobFactory.create(tenant=cast.tenant, params=params, priority=2, tags=["one"])
    shown = fields(alice.get(f"{URL}?like={job.pk}"))
    assert (shown["input"].media[0].file, shown["crf"].text) == (film.pk, "30")
    assert shown["faststart"].value is False
    assert (shown["job.priority"].value, shown["job.tags"].text) == ("low", "one")


@pytest.mark.parametrize("like", ["job_1", "random"])
def test_it_starts_from_no_other_tenant_s_job(charlie: Client, cast: Cast, like: str) -> None:
    job = JobFactory.create(tenant=cast.tenant)
    like = job.pk if like == "random" else like
    assert charlie.get(f"{URL}?like={like}").status_code == 404


@pytest.mark.parametrize("operation", sorted(REGISTRY))
def test_every_operation_has_a_form(charlie: Client, operation: str) -> None:
    response = charlie.get(f"/operations/{operation}/new")
    assert response.status_code == 200
    for name, field in fields(response).items():
        if not field.spec.is_media:
            assert f'name="{name}"' in response.content.decode()


@pytest.mark.parametrize(
    ("kind", "operation"),
    [("video", "transcode"), ("audio", "audio/normalize"), ("concat", "video/concat")],
)
def test_the_older_addresses_work(alice: Client, kind: str, operation: str) -> None:
    assert alice.get(f"/compose/{kind}").context["form"].path == operation


def test_no_other_form_has_a_short_address(alice: Client) -> None:
    assert alice.get("/compose/trim").status_code == 404


def test_an_operation_may_take_a_scope_of_its_own(
    alice: Client, charlie: Client, cast: Cast
) -> None:
    assert charlie.get("/compose/custom").context["form"].name == "ffmpeg"
    assert alice.get("/compose/custom").status_code == 403
    assert alice.post("/operations/ffmpeg/new", {}).status_code == 403
    assert "/operations/ffmpeg/new" in charlie.get("/operations").content.decode()
    assert "/operations/ffmpeg/new" not in alice.get("/operations").content.decode()
    theirs = JobFactory.create(tenant=cast.tenant, operation="ffmpeg", failed=True)
    assert alice.post(f"/jobs/{theirs.pk}/retry").status_code == 403


def test_a_viewer_is_refused(bob: Client, film: File) -> None:
    assert bob.get(URL).status_code == 403
    assert bob.post(URL, {"input.file": film.pk, "input.url": ""}).status_code == 403


def test_staff_reading_everybody_s_is_refused(staff: Client) -> None:
    assert staff.get(URL).status_code == 403


def test_a_command_is_typed_with_its_files(charlie: Client) -> None:
    form = {
        "input_files.url": ["https://example.org/a.mp4", "https://example.org/b.mp4"],
        "input_files.file": ["", ""],
        "output_files": "x.mp4",
        "ffmpeg_command": "-i {{in_1}} -i {{in_2}} -map 0:v -map 1:a {{output}}",
    }
    response = charlie.post("/operations/ffmpeg/new", form)
    assert response.status_code == 302, fields(response)
    job = Job.objects.get()
    assert job.operation == "ffmpeg"
    assert job.params["input_files"] == {
        "in_1": "https://example.org/a.mp4",
        "in_2": "https://example.org/b.mp4",
    }
    again = charlie.get(f"/operations/ffmpeg/new?like={job.pk}")
    assert "https://example.org/b.mp4" in again.content.decode()
    wrong = charlie.post("/operations/ffmpeg/new", form | {"ffmpeg_command": "-i x {{output}}"})
    assert wrong.status_code == 422
    assert "is not the alias of an input" in wrong.content.decode()
