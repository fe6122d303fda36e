"""An operation's parameters as fields that a person fills in, in a browser or on a command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from media_jobs.operations.core import InvalidParams, InvalidParamsGroup, Operation, media_fields

Widget = Literal[
    "text", "textarea", "number", "select", "checkbox", "media", "media_list", "list", "json"
]
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """``list`` is a line of values with commas between them; ``json`` a nested value.

    ``example`` is what a ``json`` field may look like, as JSON text. A text that ``takes_json`` is
    a word, or an object as JSON.
    """

    name: str
    label: str
    widget: Widget
    help: str = ""
    unit: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    step: str = "any"
    example: str = ""
    takes_json: bool = False

    @property
    def is_media(self) -> bool:
        return self.widget in {"media", "media_list"}


def fields(operation: type[Operation]) -> tuple[Field, ...]:
    """Media first, then the rest in the order of the declaration."""
    schema = operation.model_json_schema()
    media = media_fields(operation)
    required = set(schema.get("required", ()))
    described = [
        describe(operation, name, schema, is_media=name in media, required=name in required)
        for name in operation.model_fields
    ]
    return tuple(sorted(described, key=lambda field: not field.is_media))


def describe(
    operation: type[Operation], name: str, schema: Schema, *, is_media: bool, required: bool
) -> Field:
    own: Schema = schema["properties"][name]
    kind = without_null(own)
    return Field(
        name=name,
        label=name.replace("_", " ").capitalize(),
        widget=media_widget(kind) if is_media else operation.widgets.get(name) or widget(kind),
        help=" ".join(str(own.get("description", "")).replace("``", "").split()),
        unit=str(kind.get("unit", "")),
        required=required,
        default=own.get("default"),
        choices=tuple(str(choice) for choice in kind.get("enum", ())),
        min=kind.get("minimum", kind.get("exclusiveMinimum")),
        max=kind.get("maximum"),
        step=str(kind.get("multipleOf", 1)) if kind.get("type") == "integer" else "any",
        example=example_of(operation, name),
        takes_json=kind.get("type") != "string",
    )


def without_null(schema: Schema) -> Schema:
    """An optional parameter is "this or null"; a form leaves it empty instead."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else schema


def media_widget(kind: Schema) -> Widget:
    return "media_list" if "array" in kind.get("type", "") else "media"


def widget(kind: Schema) -> Widget:
    if "enum" in kind:
        return "select"
    if kind.get("type") == "array":
        return "json" if "$ref" in str(kind["items"]) else "list"
    if "$ref" in kind:
        return "json"
    by_type: dict[str, Widget] = {"boolean": "checkbox", "integer": "number", "number": "number"}
    return by_type.get(str(kind.get("type")), "text")


def example_of(operation: type[Operation], name: str) -> str:
    """The longest value among the examples: it shows most."""
    seen = [example.params[name] for example in operation.examples if name in example.params]
    return max((json.dumps(value, ensure_ascii=False) for value in seen), key=len, default="")


def to_params(described: Iterable[Field], texts: Mapping[str, str]) -> dict[str, Any]:
    """From what was typed to JSON; what was left empty is absent.

    Raises ``InvalidParamsGroup`` for what is no JSON; everything else is judged by ``parse``.
    """
    params: dict[str, Any] = {}
    wrong = []
    for field in described:
        text = texts.get(field.name, "").strip()
        if not text:
            continue
        try:
            params[field.name] = value(field, text)
        except ValueError:
            detail = (
                f"is not JSON; write it like {field.example}" if field.example else "is no JSON"
            )
            wrong.append(InvalidParams(field.name, detail, "malformed"))
    if wrong:
        raise InvalidParamsGroup(wrong)
    return params


def value(field: Field, text: str) -> Any:
    """Numbers stay text: the declaration reads them, and says what is wrong with them."""
    # No word begins with a brace.
    is_object = field.widget == "text" and field.takes_json and text.startswith("{")
    if field.widget == "json" or is_object:
        return json.loads(text)
    if field.widget in {"list", "media_list"}:
        return [part.strip() for part in text.split(",") if part.strip()]
    if field.widget == "checkbox":
        return text in {"true", "on", "1", "yes"}
    return text
