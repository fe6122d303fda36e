"""A form as templates show it: each field with its value and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ffapi_site.lib.problems import FieldError
from media_jobs.surfaces.form import Field

_SPARE_ROWS = 1
_FEWEST_ROWS = 2
_CHOSEN = frozenset({"select", "checkbox"})  # elsewhere the default stands in pale in an empty box
_ENDLESS = 100_000  # a bound that nobody comes near needs no mention


@dataclass(frozen=True)
class Medium:
    """One medium of a field: a stored file or an address, and what is wrong with it."""

    value: str = ""
    errors: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return self.value if self.value.startswith("file_") else ""

    @property
    def address(self) -> str:
        return "" if self.file else self.value


@dataclass(frozen=True)
class ShownField:
    spec: Field
    name: str
    value: Any
    errors: tuple[str, ...]
    media: tuple[Medium, ...] = ()

    @property
    def template(self) -> str:
        return f"pages/fields/_{self.spec.widget}.html"

    @property
    def id(self) -> str:
        return "field-" + self.name.replace(".", "-")

    @property
    def described_by(self) -> str:
        parts = (("help", self.spec.help or self.bounds), ("error", self.errors))
        return " ".join(f"{self.id}-{part}" for part, is_there in parts if is_there)

    @property
    def is_wrong(self) -> bool:
        return bool(self.errors) or any(medium.errors for medium in self.media)

    @property
    def text(self) -> str:
        """The value as it stands in a text box."""
        if self.value is None:
            return ""
        if self.spec.widget == "list" and isinstance(self.value, list):
            return ", ".join(str(each) for each in self.value)
        return self.value if isinstance(self.value, str) else json.dumps(self.value, indent=2)

    @property
    def bounds(self) -> str:
        least, most = self.spec.min, self.spec.max
        if least is not None and most is not None and most < _ENDLESS:
            return f"From {least:g} to {most:g}."
        return f"At least {least:g}." if least else ""

    @property
    def default_text(self) -> str:
        return "" if self.spec.default is None else str(self.spec.default)

    @property
    def options(self) -> list[tuple[str, bool]]:
        return [(choice, choice == self.value) for choice in self.spec.choices]


def shown(
    fields: Iterable[Field],
    values: Mapping[str, Any],
    errors: Iterable[FieldError],
    *,
    prefix: str = "",
) -> list[ShownField]:
    """Put values and mistakes beside their fields; a mistake's pointer starts with the name."""
    found = [(error.pointer.strip("/").split("/"), error.detail) for error in errors]
    return [_shown(spec, values, found, prefix) for spec in fields]


def _shown(
    spec: Field, values: Mapping[str, Any], found: Sequence[tuple[list[str], str]], prefix: str
) -> ShownField:
    here = [(path[1:], detail) for path, detail in found if path[0] == spec.name]
    value = values.get(spec.name, spec.default if spec.widget in _CHOSEN else None)
    media: tuple[Medium, ...] = ()
    if spec.widget == "media":
        media = (Medium(value if isinstance(value, str) else ""),)
    elif spec.widget == "media_list":
        given = list(value.values()) if isinstance(value, Mapping) else value or ()
        rows = max(_FEWEST_ROWS, len(given) + _SPARE_ROWS)
        media = tuple(
            Medium(each, tuple(detail for path, detail in here if path[:1] == [str(place)]))
            for place, each in enumerate([*given, *[""] * (rows - len(given))])
        )
        here = [(path, detail) for path, detail in here if not path]
    errors = tuple(f"{'/'.join(path)}: {detail}" if path else detail for path, detail in here)
    return ShownField(spec, prefix + spec.name, value, errors, media)
