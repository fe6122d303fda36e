from __future__ import annotations

from typing import Generic, TypeVar

from media_jobs.operations.core import Parameters, find
from media_jobs.operations.core.docstrings import explanations

T = TypeVar("T")


class Sides(Parameters):
    """Not of a field."""

    width: int = 0
    """How wide."""
    height: int = 0
    """How
    high."""


class Scaled(Sides, Generic[T]):
    height: int = 1
    """Anew."""
    depth: int = 0
    kind: T | None = None
    """Of a kind."""


def test_it_works() -> None:
    told = Sides.model_json_schema()["properties"]
    assert told["width"]["description"] == "How wide."
    assert told["height"]["description"] == "How\nhigh."


def test_what_is_inherited_is_explained_too() -> None:
    assert explanations(Scaled[int], Parameters) == {
        "width": "How wide.",
        "height": "Anew.",
        "kind": "Of a kind.",
    }
    assert "description" not in Scaled[int].model_json_schema()["properties"]["depth"]


def test_nested_parameters_are_explained() -> None:
    nested = find("video/filter").model_json_schema()["$defs"]
    assert nested["Crop"]["properties"]["x"]["description"].startswith("From the left")
    (crop,) = (each for each in nested.values() if each["title"] == "CropFilter")
    assert crop["properties"]["type"]["description"] == "Which effect."
