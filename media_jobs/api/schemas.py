"""The operations' parameters as OpenAPI components, made from their declarations."""

from __future__ import annotations

from functools import cache
from typing import Any

from media_jobs.api.job_schemas import JobOptions
from media_jobs.operations.core import REGISTRY, Operation, media_aliases
from media_jobs.surfaces import plans

Json = dict[str, Any]

_TEMPLATE = "#/components/schemas/{model}"


def ref(component: str) -> Json:
    return {"$ref": _TEMPLATE.format(model=component)}


def component_name(operation: type[Operation], what: str) -> str:
    words = operation.name.replace("/", "-").split("-")
    return "".join(word.capitalize() for word in words) + what


def flat_request(operation: type[Operation]) -> Json:
    return ref(component_name(operation, "Request"))


JOB_REQUEST = ref("JobRequest")


@cache
def components() -> Json:
    """Every component that the operations need, by name. Raises ``SameName``."""
    jobs = {name: ref(component_name(each, "Job")) for name, each in REGISTRY.items()}
    # Told apart by ``operation``, so that a client sees the parameters that go with it.
    mapping = {name: job["$ref"] for name, job in jobs.items()}
    discriminator = {"propertyName": "operation", "mapping": mapping}
    found: Json = {"JobRequest": {"oneOf": [*jobs.values()], "discriminator": discriminator}}
    for operation in REGISTRY.values():
        params = operation.model_json_schema(ref_template=_TEMPLATE)
        nested: Json = params.pop("$defs", {})
        params["examples"] = [plans.request(operation, example) for example in operation.examples]
        params_name = component_name(operation, "Params")
        job: Json = {
            "title": operation.title(),
            "type": "object",
            "required": ["operation", "params"],
            "properties": {
                "operation": {"type": "string", "const": operation.name},
                "params": ref(params_name),
                **_options(),
            },
            "additionalProperties": False,
        }
        own = {
            params_name: params,
            component_name(operation, "Job"): job,
            component_name(operation, "Request"): _flat(operation, params),
        }
        add_to(found, own)
        add_to(found, nested)
    return found


class SameName(ValueError):  # noqa: N818 -- what happened
    """Two components of the API's description have one name; rename one of the classes."""


def add_to(known: Json, more: Json) -> None:
    """Raises ``SameName`` where a name stands for something else already."""
    for name, schema in more.items():
        if known.setdefault(name, schema) != schema:
            raise SameName(name)


def _options() -> Json:
    properties: Json = JobOptions.model_json_schema(ref_template=_TEMPLATE)["properties"]
    return properties


def _flat(operation: type[Operation], params: Json) -> Json:
    """Parameters and options in one object; each may be called by any of its names."""
    aliases = {**media_aliases(operation), **operation.field_aliases}
    also = {
        alias: params["properties"][name] | {"description": f"Another name of `{name}`."}
        for alias, name in aliases.items()
    }
    required = params.get("required", [])
    needed = [name for name in required if name not in aliases.values()]
    called = [
        [name, *(alias for alias, field in aliases.items() if field == name)]
        for name in required
        if name not in needed
    ]
    named = [{"anyOf": [{"required": [each]} for each in names]} for names in called]
    return {
        "title": operation.title(),
        "description": operation.description(),
        "type": "object",
        "properties": params["properties"] | also | _options(),
        **({"required": needed} if needed else {}),
        **({"allOf": named} if named else {}),
        "additionalProperties": False,
    }
