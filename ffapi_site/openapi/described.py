"""What all operations of the API have in common in its description."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

Json = dict[str, Any]

_PROBLEMS = {
    "400": "The request can't be read, or a header of it.",
    "401": "The key is missing, unknown, expired or revoked.",
    "403": "The key lacks the scope; `required_scope` names it.",
    "404": "There is nothing here that is yours.",
    "406": "No representation fits the `Accept` header.",
    "409": "The state of the thing does not allow it, or the first request under the same "
    "`Idempotency-Key` is still running.",
    "413": "The body is too large.",
    "415": "The body's content type is not one that is read here.",
    "416": "The range lies outside the content.",
    "422": "Well formed, but it can't be carried out; `errors` points at each wrong field.",
    "429": "Too many requests; `Retry-After` says when to come again.",
    "503": "Not just now; `Retry-After` says when to come again.",
}
_IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of yours, up to 255 characters. The same request under the same key has "
    "one effect and one answer for 24 hours.",
)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.web.authentication.ApiKeyAuthentication"
    name = ["bearer", "header"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[Json]:  # noqa: ARG002
        return [{"bearer": []}, {"header": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[Json]:  # noqa: ARG002
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "ffapi_…"},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]


class Described(AutoSchema):
    """What all views have in common, so that each only says what is its own."""

    def get_tags(self) -> list[str]:
        """The section that the view names, else the first word of its address."""
        first = self.path.removeprefix("/v1/").split("/")[0]
        return [getattr(self.view, "section", first)]

    def get_operation_id(self) -> str:
        words = self.path.removeprefix("/v1/").replace("-", "_").replace("{", "").replace("}", "")
        return f"{self.method.lower()}_{words.replace('/', '_')}"

    def get_description(self) -> str:  # type: ignore[override]  # as its own base class
        scopes: dict[str, str] = getattr(self.view, "scopes", {})
        scope = scopes.get(self.method)
        text = super().get_description()
        return f"{text}\n\nNeeds the scope `{scope}`." if scope else text

    def get_summary(self) -> str | None:
        first: str = super().get_description().partition("\n")[0]
        return super().get_summary() or first.rstrip(".") or None

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *([_IDEMPOTENCY] if self._makes else [])]

    @property
    def _makes(self) -> bool:
        return self.method == "POST"

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Json:
        bodies: Json = super()._get_response_bodies(direction)
        for status in self._possible_problems():
            bodies.setdefault(
                status,
                {
                    "description": _PROBLEMS[status],
                    "content": {
                        "application/problem+json": {
                            "schema": {"$ref": "#/components/schemas/Problem"}
                        }
                    },
                },
            )
        return bodies

    def _possible_problems(self) -> list[str]:
        possible = {"401", "403", "406", "415", "429", "503"}
        possible |= {str(status) for status in getattr(self.view, "also_answers", ())}
        if "{" in self.path:
            possible |= {"404"}
        if self.method in {"POST", "PUT", "PATCH"}:
            possible |= {"400", "413", "422"}
        if self.method == "GET":
            possible |= {"400", "422"}
        if self.method in {"POST", "DELETE"}:
            possible |= {"409"}
        return sorted(possible)
