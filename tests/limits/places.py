"""Where a described body can hold text and numbers, and how far each text may go."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Path = tuple[str | int, ...]
_DEEPEST = 6


@dataclass(frozen=True)
class Place:
    """``longest`` is what the description promises; None where it promises nothing."""

    at: Path
    kind: str
    longest: int | None = None
    is_url: bool = False

    @property
    def pointer(self) -> str:
        return "".join(f"/{each}" for each in self.at)

    def text(self, length: int) -> str:
        """Some text of so many characters, of the form that is wanted here."""
        start = "https://example.org/" if self.is_url else ""
        return start + "x" * (length - len(start))

    def put(self, body: Any, value: Any) -> Any:
        """A copy of ``body`` with ``value`` here; what stands in the way is replaced."""
        return _put(deepcopy(body), self.at, value)


def _put(body: Any, at: Path, value: Any) -> Any:
    if not at:
        return value
    first, *rest = at
    if isinstance(first, int):
        held = list(body) if isinstance(body, list) else []
        inner = _put(held[0] if held else None, tuple(rest), value)
        return [inner, *held[1:]]
    members = dict(body) if isinstance(body, dict) else {}
    return members | {first: _put(members.get(first), tuple(rest), value)}


def places(schema: Json, components: Json, at: Path = ()) -> set[Place]:
    """All of ``schema``, however it refers to others."""
    return set(_walk(schema, components, at))


def _walk(schema: Json, components: Json, at: Path) -> Iterator[Place]:
    if len(at) > _DEEPEST:
        return
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]] | {"$ref": ""}
        schema.pop("$ref")
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word, ()):
            yield from _walk(each, components, at)
    for name, each in schema.get("properties", {}).items():
        yield from _walk(each, components, (*at, name))
    for each in schema.get("patternProperties", {}).values():
        yield from _walk(each, components, (*at, "one"))
    if isinstance(schema.get("items"), dict):
        yield from _walk(schema["items"], components, (*at, 0))
    kind = schema.get("type")
    kinds = set(kind) if isinstance(kind, list) else {kind}
    if "string" in kinds and at:
        is_url = schema.get("format") == "uri" or str(at[-1]).endswith("url")
        yield Place(at, "string", schema.get("maxLength"), is_url)
    if kinds & {"integer", "number"} and at:
        yield Place(at, "number")
