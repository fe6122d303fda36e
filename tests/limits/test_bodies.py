"""One more than every limit, and text that no column could hold, into every field of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import resolve

from tests.audit_coverage.api_cases import API
from tests.audit_coverage.stage import Ask, Stage
from tests.described import described, document
from tests.in_turn import in_turn
from tests.limits.places import Json, Place, places
from tests.savepoint import undone

pytestmark = pytest.mark.django_db

# What each operation takes besides its own parameters is tried with one of them.
_OF_EVERY_JOB = ("metadata", "tags", "webhook_url", "output_name", "priority", "device")
_WITH_BODY = [name for name in API if name.split()[0] in {"POST", "PUT", "PATCH"}]
# None of them is text or a number that could be stored; the last two grow when they are composed.
_NOT_TEXT = {"a\0b": "nul_character", "\ud800": "lone_surrogate"}
_GROWING = ("\ufb2c", "\u0344")
_NUMBERS = (2**63 - 1, -(2**63), 1e308)
_OTHER: tuple[Any, ...] = (None, [{}], {})


def _body_of(ask: Ask, method: str) -> Json:
    operation = described(resolve(ask.path).route, method)
    assert operation
    body = operation.get("requestBody", {})
    schema: Json = body.get("content", {}).get("application/json", {}).get("schema", {})
    if "JobRequest" in schema.get("$ref", ""):
        return {"$ref": "TranscodeJob"}
    return schema


def _places_of(name: str, ask: Ask) -> list[Place]:
    found = places(_body_of(ask, name.split(maxsplit=1)[0]), document()["components"]["schemas"])
    if name.startswith("POST api-run-"):
        found = {each for each in found if each.at[0] not in _OF_EVERY_JOB}
    return sorted(found, key=lambda each: (each.pointer, each.kind))


def _send(stage: Stage, method: str, path: str, body: Any) -> Any:
    """Send it, and take back whatever it did."""
    with undone():
        answer = stage.browser("key").generic(method, path, json.dumps(body), "application/json")
    assert answer.status_code < 500, (path, str(body)[:300], answer.content[:300])
    return answer


def test_nothing_in_a_body_is_an_error_of_ours(stage: Stage, subtests: pytest.Subtests) -> None:
    for name in _WITH_BODY:
        with subtests.test(name), stage.case():
            _holds_nothing_wrong(stage, name, API[name][1](stage))


def _holds_nothing_wrong(stage: Stage, name: str, ask: Ask) -> None:
    body = {} if name == "POST api-files" else ask.body or {}
    method = name.split(maxsplit=1)[0]
    for turn, place in enumerate(_places_of(name, ask), start=_WITH_BODY.index(name)):
        for value, code in _NOT_TEXT.items():
            answer = _send(stage, method, ask.path, place.put(body, value))
            assert answer.status_code in {400, 422}, (place, answer.content)
            assert [each["code"] for each in answer.json()["errors"]] == [code], answer.content
        longest = place.longest or 100
        grown = [one * (longest // 2 + 1) for one in _GROWING]
        for other in in_turn([*grown, place.text(100_000), *_NUMBERS, *_OTHER], turn, 3):
            _send(stage, method, ask.path, place.put(body, other))


def test_one_more_than_a_limit_is_refused_by_its_field(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    for name in _WITH_BODY:
        with subtests.test(name), stage.case():
            _holds_no_more_than_it_may(stage, name, API[name][1](stage))


def _holds_no_more_than_it_may(stage: Stage, name: str, ask: Ask) -> None:
    body = {} if name == "POST api-files" else ask.body or {}
    for place in _places_of(name, ask):
        if place.longest is None:
            continue
        sent = place.put(body, place.text(place.longest + 1))
        answer = _send(stage, name.split(maxsplit=1)[0], ask.path, sent)
        assert answer.status_code == 422, (place, answer.content)
        assert _of(place, answer), (place, answer.content)
        sent = place.put(body, place.text(place.longest))
        answer = _send(stage, name.split(maxsplit=1)[0], ask.path, sent)
        assert not [each for each in _of(place, answer) if "most" in each["detail"]], answer.content


def _of(place: Place, answer: Any) -> list[Json]:
    if answer.status_code != 422:
        return []
    errors = answer.json().get("errors", [])
    return [each for each in errors if place.pointer.startswith(each["pointer"])]
