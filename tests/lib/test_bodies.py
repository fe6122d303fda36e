from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from ffapi_site.lib.bodies import read
from ffapi_site.lib.problems import Invalid


class Place(BaseModel):
    width: int = 0


class Body(BaseModel):
    tags: list[str] = Field(default_factory=list, min_length=1, max_length=2)
    pair: tuple[int, ...] = ()
    place: Place = Place()
    limits: dict[str, int] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], ": should be an object"),
        ({"tags": "a"}, "/tags: should be a list"),
        ({"tags": []}, "/tags: needs at least 1"),
        ({"tags": ["a"] * 3}, "/tags: takes at most 2"),
        ({"pair": 1}, "/pair: should be a list"),
        ({"place": []}, "/place: should be an object"),
        ({"place": {"width": []}}, "/place/width: should be a valid integer"),
        ({"limits": []}, "/limits: should be an object"),
    ],
)
def test_it_works(given: Any, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(Body, given)
    [error] = refused.value.errors
    assert f"{error.pointer}: {error.detail}" == said
