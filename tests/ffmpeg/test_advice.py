"""Nobody is told to change what their operation has no parameter for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from media_jobs.ffmpeg import advice, failures
from media_jobs.ffmpeg.advice import written
from media_jobs.operations.core import REGISTRY

_ALL = [*advice.LIGHTER, *advice.SMALLER, *advice.OTHER_CODEC]
# Words that mean a parameter: they belong into advice.
_PARAMETERS = re.compile(r"\b(preset|codec|resolution|bit rate|size|container|format|width)\b")


def told() -> Iterator[failures.Failure | failures.Rule]:
    yield from failures.TABLE
    yield from failures._SIGNALS.values()
    yield from (each for each in vars(failures).values() if isinstance(each, failures.Failure))


def test_it_works() -> None:
    hint = written("Shorten it.", advice.LIGHTER, {"resolution", "preset"})
    assert hint == "Shorten it. Ask for a smaller resolution or a faster preset."


def test_there_may_be_nothing_to_ask_for() -> None:
    assert written("Shorten it.", advice.LIGHTER, {"input"}) == "Shorten it."


@pytest.mark.parametrize("failure", list(told()), ids=lambda each: each.code)
def test_a_hint_for_everybody_names_no_parameter(
    failure: failures.Failure | failures.Rule,
) -> None:
    assert not _PARAMETERS.search(failure.hint)


@pytest.mark.parametrize("name", sorted({name for name, _ in _ALL}))
def test_advice_is_about_parameters_that_there_are(name: str) -> None:
    assert any(name in operation.model_fields for operation in REGISTRY.values())


@pytest.mark.parametrize("operation", REGISTRY)
def test_an_operation_s_owner_is_told_of_its_own_parameters(operation: str) -> None:
    fields = REGISTRY[operation].model_fields
    hint = written("", tuple(_ALL), fields)
    for name, asked in _ALL:
        has_same = any(asked == other and each in fields for each, other in _ALL)
        assert (asked in hint) == has_same, name
