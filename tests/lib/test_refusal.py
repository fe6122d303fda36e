from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from django.conf import settings
from pydantic import AfterValidator, BaseModel

from ffapi_site.lib import bodies, netguard
from ffapi_site.lib.problems import Invalid, at
from ffapi_site.lib.refusal import Refusal
from media_jobs.operations.core import InvalidParams, in_field


def refuse(text: str) -> str:
    raise Refusal("bad_name", f"{text} is no name")


class Body(BaseModel):
    name: Annotated[str, AfterValidator(refuse)]


def test_it_works() -> None:
    with pytest.raises(Invalid) as problem, at("/name"):
        refuse("..")
    [error] = problem.value.errors
    assert error.to_json() == {"pointer": "/name", "detail": ".. is no name", "code": "bad_name"}
    assert problem.value.detail == ".. is no name"
    assert isinstance(problem.value.__cause__, Refusal)


def test_anything_else_comes_through() -> None:
    with pytest.raises(ValueError, match="a fault of ours"), at("/name"):
        raise ValueError("a fault of ours")


def test_a_body_that_holds_it_names_the_field() -> None:
    with pytest.raises(Invalid) as problem:
        bodies.read(Body, {"name": ".."})
    [error] = problem.value.errors
    assert (error.pointer, error.detail) == ("/name", ".. is no name")


def test_it_may_pass() -> None:
    assert not Refusal("too_large", "x").is_passing
    assert netguard.Refused("bad_status", "x", is_passing=True, retry_after_s=3).retry_after_s == 3


def test_a_parameter_keeps_its_place() -> None:
    with pytest.raises(InvalidParams) as outer, in_field("filters/0/params"):
        raise InvalidParams("text/0", "too long", "too_long")
    assert (outer.value.field, outer.value.code) == ("filters/0/params/text/0", "too_long")
    with pytest.raises(InvalidParams) as outer, in_field("input"):
        refuse("..")
    assert (outer.value.field, outer.value.code) == ("input", "bad_name")


def test_nothing_translates_one_by_hand() -> None:
    """``raise invalid("/url", x.detail, x.code) from x`` is what `at` is there for."""
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for package in ("ffapi_site", "accounts", "storage", "media_jobs")
        for path in Path(settings.BASE_DIR / package).rglob("*.py")
        if any(_by_hand(path))
    }
    # `at` and `in_field` themselves, and a Malformed of what is no JSON.
    assert found == {
        "ffapi_site/lib/problems.py",
        "ffapi_site/lib/strict_json.py",
        "media_jobs/operations/core/errors.py",
    }


def _by_hand(path: Path) -> Iterator[ast.expr]:
    """Raised from another exception, with its code and its detail."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.cause):
            continue
        given = (*node.exc.args, *(each.value for each in node.exc.keywords))
        if {f"{ast.unparse(node.cause)}.{name}" for name in ("code", "detail")} <= {
            ast.unparse(each) for each in given
        }:
            yield node.exc
