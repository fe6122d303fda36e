"""What every operation keeps to, without a test of its own."""

from __future__ import annotations

import math
from typing import Any

import pytest

from media_jobs.operations.core import (
    REGISTRY,
    InvalidParamsGroup,
    Operation,
    UnknownOperation,
    find,
    media_fields,
    media_refs,
    parse,
)
from media_jobs.surfaces.form import Field, fields
from media_jobs.surfaces.plans import request

OPERATIONS = [pytest.param(each, id=name) for name, each in sorted(REGISTRY.items())]


def first_request(operation: type[Operation]) -> dict[str, Any]:
    return request(operation, operation.examples[0])


def numbers(operation: type[Operation]) -> list[Field]:
    return [field for field in fields(operation) if field.widget == "number"]


BOUNDS = [
    pytest.param(operation, field.name, wrong, id=f"{name}: {field.name}={wrong}")
    for name, operation in sorted(REGISTRY.items())
    for field in numbers(operation)
    for wrong in (
        *(() if field.min is None else (field.min - 1,)),
        *(() if field.max is None else (field.max + 1,)),
        True,
        "many",
        math.nan,
        math.inf,
        10**400,
    )
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_file_and_class_are_named_after_the_operation(operation: type[Operation]) -> None:
    last = operation.name.rpartition("/")[2]
    assert operation.__module__.rpartition(".")[2] == last.replace("-", "_")
    assert operation.__name__ == "".join(word.capitalize() for word in last.split("-"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_it_says_of_its_parameters_is_about_some(operation: type[Operation]) -> None:
    named = {*operation.widgets, *operation.field_aliases.values()}
    assert named - set(operation.model_fields) == set()
    used = {name for example in operation.examples for name in example.media.values()}
    assert set(operation.samples) - used == set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_number_has_bounds(operation: type[Operation]) -> None:
    assert [field.name for field in numbers(operation) if None in {field.min, field.max}] == []


@pytest.mark.parametrize(("operation", "name", "wrong"), BOUNDS)
def test_bounds_are_kept(operation: type[Operation], name: str, wrong: object) -> None:
    with pytest.raises(InvalidParamsGroup) as refused:
        parse(operation.name, first_request(operation) | {name: wrong})
    assert [error.field for error in refused.value.errors] == [name]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_parameter_is_explained(operation: type[Operation]) -> None:
    assert [field.name for field in fields(operation) if not field.help] == []
    assert len(operation.description().splitlines()) > 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown_fields_are_refused(operation: type[Operation]) -> None:
    with pytest.raises(InvalidParamsGroup) as refused:
        parse(operation.name, first_request(operation) | {"colour": "red"})
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("colour", "unknown_field")
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_missing_media_are_named(operation: type[Operation]) -> None:
    with pytest.raises(InvalidParamsGroup) as refused:
        parse(operation.name, {})
    assert media_fields(operation)[0] in {error.field for error in refused.value.errors}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_was_asked_can_be_kept_and_asked_again(operation: type[Operation]) -> None:
    for example in operation.examples:
        op = parse(operation.name, request(operation, example))
        again = parse(operation.name, op.to_params())
        assert again == op
        assert again.to_params() == op.to_params()
        assert [ref.role for ref in media_refs(op)] == list(example.media)


def test_an_unknown_operation() -> None:
    with pytest.raises(UnknownOperation):
        find("video/teleport")
