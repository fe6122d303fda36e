from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import RateBucket
from media_jobs.api import schemas
from media_jobs.operations.core import REGISTRY
from media_jobs.surfaces import plans
from tests.api.test_conventions import ROUTES, handled

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def described(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Any:
    with django_db_blocker.unblock():
        response = Client().get("/v1/openapi.json")
        RateBucket.objects.all().delete()  # outside a test nothing takes it back
    assert response["Content-Type"] == "application/json"
    return response.json()


@pytest.fixture
def components(described: Any) -> Any:
    return described["components"]["schemas"]


def validator(components: Any, name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
    return Draft202012Validator(schema)


def test_it_works(described: Any, tmp_path: Any) -> None:
    assert described["openapi"].startswith("3.1")
    validate_schema(described)  # type: ignore[no-untyped-call]
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml")
    )


def test_every_route_and_method_is_described(described: Any) -> None:
    paths = {
        route.replace("<str:", "{").replace("<path:", "{").replace(">", "}"): handled(view)
        for route, view in ROUTES.items()
    }
    assert set(described["paths"]) == set(paths)
    for path, methods in paths.items():
        assert {method.upper() for method in described["paths"][path]} == set(methods)


def test_every_section_is_introduced(described: Any) -> None:
    used = {
        tag
        for methods in described["paths"].values()
        for operation in methods.values()
        for tag in operation["tags"]
    }
    assert used == {each["name"] for each in described["tags"]}
    assert described["paths"]["/v1/audit-log"]["get"]["tags"] == ["audit-log"]


def test_every_operation_says_what_it_answers(described: Any) -> None:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            assert operation["security"] == [{"bearer": []}, {"header": []}]
            assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)


def test_what_takes_a_body_says_how_it_is_refused(described: Any) -> None:
    for path, methods in described["paths"].items():
        for method in {"post", "put", "patch"} & set(methods):
            assert {"400", "413", "415", "422"} <= set(methods[method]["responses"]), (method, path)


def test_an_export_says_what_it_is(described: Any) -> None:
    answer = described["paths"]["/v1/audit-log/export"]["get"]["responses"]["200"]
    assert set(answer["content"]) == {"application/jsonl", "text/csv", "application/zip"}


def test_all_that_is_referred_to_is_there(described: Any, components: Any) -> None:
    def refs(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [ref for inner in value.values() for ref in refs(inner)]
        return [ref for inner in value for ref in refs(inner)] if isinstance(value, list) else []

    for ref in refs(described):
        assert ref.removeprefix("#/components/schemas/") in components


def test_jobs_are_told_apart_by_their_operation(components: Any) -> None:
    mapping = components["JobRequest"]["discriminator"]["mapping"]
    assert set(mapping) == set(REGISTRY)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_example_fits_its_schema(name: str, components: Any) -> None:
    for example in REGISTRY[name].examples:
        params = plans.request(REGISTRY[name], example)
        job = {"operation": name, "params": params, "tags": ["x"]}
        validator(components, "JobRequest").validate(job)
        flat = components["JobRequest"]["discriminator"]["mapping"][name].rsplit("/")[-1]
        validator(components, flat.removesuffix("Job") + "Request").validate(params | {"tags": []})


def test_two_components_of_one_name_are_refused() -> None:
    """A client would be made for one of them, and send it for both."""
    known: dict[str, Any] = {"Size": {"type": "object"}}
    schemas.add_to(known, {"Size": {"type": "object"}, "Crop": {"type": "array"}})
    assert set(known) == {"Size", "Crop"}
    with pytest.raises(schemas.SameName, match="Crop"):
        schemas.add_to(known, {"Crop": {"type": "object"}})


def test_a_wrong_job_does_not_fit(components: Any) -> None:
    job = {"operation": "transcode", "params": {"input": "https://example.org/a", "crf": 99}}
    assert not validator(components, "JobRequest").is_valid(job)
    flat = validator(components, "TranscodeRequest")
    assert flat.is_valid({"input_url": "https://example.org/a"})
    assert not flat.is_valid({"output_format": "mp4"})
    assert not flat.is_valid({"input": "https://example.org/a", "nope": 1})


@pytest.mark.parametrize("path", ["/docs/", "/redoc/"])
def test_the_pages_run_no_script_but_ours(path: str, settings: Settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    response = Client().get(path)
    policy = response["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "default-src 'self'" in policy
    text = response.content.decode()
    assert "<script>" not in text
    assert "https://" not in text
