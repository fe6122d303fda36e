"""A page of documentation for every operation, made from its declaration."""

from __future__ import annotations

from collections.abc import Iterator

from media_jobs.operations.core import REGISTRY, Example, Operation
from media_jobs.surfaces.form import Field, fields
from media_jobs.surfaces.goldens import line
from media_jobs.surfaces.plans import as_json, commands, devices, request

_MADE = "<!-- Made by `manage.py ffapi docs` from the declaration; change it there. -->"


def pages() -> dict[str, str]:
    made = {f"{operation.name.replace('/', '-')}.md": page(operation) for operation in ordered()}
    return {"README.md": index(), **made}


def ordered() -> list[type[Operation]]:
    return sorted(REGISTRY.values(), key=lambda each: (each.group, each.name))


def index() -> str:
    rows = [
        f"| [{each.name}]({each.name.replace('/', '-')}.md) | {each.group} | {each.title()} |"
        for each in ordered()
    ]
    head = ["| operation | group | what it does |", "|---|---|---|"]
    return "\n".join(["# Operations", "", _MADE, "", *head, *rows, ""])


def page(operation: type[Operation]) -> str:
    where = ", ".join(device.name.upper() for device in devices(operation))
    return "\n".join(
        [
            f"# {operation.name}",
            "",
            _MADE,
            "",
            operation.description(),
            "",
            f"`POST /v1/{operation.path}` · scope `{operation.scope}` · runs on {where}",
            "",
            "## Parameters",
            "",
            *table(operation),
            "",
            "## Examples",
            "",
            *(text for example in operation.examples for text in shown(operation, example)),
        ]
    )


def table(operation: type[Operation]) -> Iterator[str]:
    yield "| name | values | default | meaning |"
    yield "|---|---|---|---|"
    for field in fields(operation):
        meaning = field.help.replace("|", "\\|")
        yield f"| `{field.name}` | {values(field)} | {default(field)} | {meaning} |"


def default(field: Field) -> str:
    if field.required:
        return "required"
    return "" if field.default is None else f"`{as_json(field.default)}`"


_NUMBERS = {"any": "number", "1": "whole number", "2": "even number"}


def values(field: Field) -> str:
    if field.choices:
        return ", ".join(f"`{choice}`" for choice in field.choices)
    kinds = {
        "checkbox": "true or false",
        "number": _NUMBERS[field.step],
        "media": "media reference",
        "media_list": "list of media references",
        "list": "list",
        "json": "see the examples",
    }
    kind = kinds.get(field.widget, "text")
    unit = f" ({field.unit})" if field.unit else ""
    return f"{kind}{unit}{bounds(field)}"


def bounds(field: Field) -> str:
    low = "" if field.min is None else f" from {field.min:g}"
    high = "" if field.max is None else f" to {field.max:g}"
    return f"{low}{high}"


def shown(operation: type[Operation], example: Example) -> Iterator[str]:
    body = as_json(request(operation, example)).replace("'", "'\\''")
    yield from (
        f"### {example.title[0].upper()}{example.title[1:]}",
        "",
        "```sh",
        f'curl "$FFAPI_URL/v1/{operation.path}" -H "Authorization: Bearer $FFAPI_KEY" \\',
        f"  -H 'Content-Type: application/json' -d '{body}'",
        "```",
        "",
        "<details><summary>What FFmpeg is told</summary>",
        "",
    )
    for device in devices(operation):
        lines = [line(command) for command in commands(operation, example, device)]
        yield from (f"On the {device.name.upper()}:", "", "```", *lines, "```", "")
    yield from ("</details>", "")
