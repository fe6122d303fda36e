"""What a submitted form says, as parameters; judging them is the operation's part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from ffapi_site.lib import strict_json
from ffapi_site.lib.problems import FieldError
from ffapi_site.lib.refusal import Refusal
from media_jobs.operations.core import InvalidParamsGroup, Operation, parse
from media_jobs.surfaces import form
from media_jobs.surfaces.form import Field


@dataclass(frozen=True)
class Typed:
    """What was typed into some fields, and what of it can't be read."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()


def read(fields: Iterable[Field], posted: QueryDict, *, prefix: str = "") -> Typed:
    """Read the fields whose inputs are called ``prefix`` and their name; empty ones are absent.

    A value that can't be read stays the text that it was.
    """
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for each in fields:
        typed = _typed(each, prefix + each.name, posted)
        if not typed:
            continue
        values[each.name] = typed
        if each.is_media:
            continue
        try:
            if each.widget == "json" or typed.startswith("{"):
                # Refuses what no JSON column could hold.
                strict_json.loads(typed.encode(), what="this text")
            values[each.name] = form.value(each, typed)
        except Refusal as refused:
            errors.append(FieldError(f"/{each.name}", refused.detail, refused.code))
    return Typed(values, tuple(errors))


def typed_as_declared(operation: type[Operation], values: Mapping[str, Any]) -> dict[str, Any]:
    """Make numbers of the texts that stand for numbers; what is wrong is left for ``submit``."""
    try:
        return parse(operation.name, values).to_params()
    except InvalidParamsGroup:
        return dict(values)


def _typed(of: Field, name: str, posted: QueryDict) -> Any:
    """What was typed; nothing where it is what the form offers by itself.

    So that a default stays one: asked for by name, some parameters act differently.
    """
    if of.is_media:
        # For each row the address, else the chosen file; rows without either are passed over.
        rows = zip(posted.getlist(f"{name}.url"), posted.getlist(f"{name}.file"), strict=False)
        given = [row for row in (_clean(address) or _clean(file) for address, file in rows) if row]
        return given if of.widget == "media_list" else next(iter(given), None)
    if of.widget == "checkbox":
        is_on = name in posted
        return "" if is_on == bool(of.default) else str(is_on).lower()
    text = _clean(posted.get(name, ""))
    return "" if of.widget == "select" and text == of.default else text


def _clean(text: str) -> str:
    # Browsers end the lines of a textarea with CR LF (HTML, "constructing the entry list").
    return text.replace("\r\n", "\n").replace("\0", "").strip()
