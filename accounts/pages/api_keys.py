from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from accounts import keys
from accounts.keys import Authority
from accounts.keys.request_schemas import NewKey, Rotation
from accounts.keys.status import Status, Warned, status_of, warnings_of
from accounts.models import ApiKey
from accounts.roles import ROLE_SCOPES, SCOPES, Role, beyond
from accounts.web.cursor import cursor_page
from accounts.web.page import Page
from ffapi_site.lib import bodies
from ffapi_site.lib.problems import Invalid

_LIFETIMES = {"7": "A week", "30": "30 days", "60": "60 days", "365": "A year", "": "No end"}
_LABELS = {
    "name": "Name",
    "role": "Role",
    "scopes": "Rights",
    "expires_at": "Ends after",
    "allowed_ips": "Addresses",
    "rate_limit_per_minute": "Requests a minute",
}
_OVERLAPS = {"0": "at once", "3600": "in an hour", "86400": "in a day", "604800": "in a week"}


@dataclass(frozen=True)
class KeyRow:
    key: ApiKey
    status: Status
    warnings: list[Warned]

    @classmethod
    def of(cls, key: ApiKey) -> KeyRow:
        return cls(key, status_of(key), warnings_of(key))


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a field, by its name and as the form calls it."""

    name: str
    label: str
    detail: str


@dataclass(frozen=True)
class KeyForm:
    """What was filled in, and what is wrong with it by field."""

    name: str = ""
    role: str = Role.DEVELOPER
    scopes: tuple[str, ...] = ()
    lifetime: str = "60"
    allowed_ips: str = ""
    rate_limit_per_minute: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def filled_in(cls, sent: QueryDict, errors: dict[str, str] | None = None) -> KeyForm:
        return cls(
            name=str(sent.get("name", "")),
            role=str(sent.get("role", "")),
            scopes=tuple(map(str, sent.getlist("scopes"))),
            lifetime=str(sent.get("lifetime", "60")),
            allowed_ips=str(sent.get("allowed_ips", "")),
            rate_limit_per_minute=str(sent.get("rate_limit_per_minute", "")),
            errors=errors or {},
        )

    @property
    def mistakes(self) -> list[Mistake]:
        return [
            Mistake(name, _LABELS.get(name, name), detail) for name, detail in self.errors.items()
        ]

    def asked(self) -> dict[str, Any]:
        """The same as a request to the API says it."""
        rate = self.rate_limit_per_minute.strip()
        asked = {
            "name": self.name,
            "role": self.role,
            "scopes": list(self.scopes) or None,
            "allowed_ips": self.allowed_ips.replace(",", " ").split(),
            "rate_limit_per_minute": int(rate) if _is_number(rate) else rate or None,
        }
        if self.lifetime in _LIFETIMES:
            days = int(self.lifetime or 0)
            end = timezone.now() + timedelta(days=days)
            asked["expires_at"] = end.isoformat() if days else None
        else:
            asked["expires_at"] = self.lifetime  # refused, with what is wrong with it
        return asked


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


class KeyPage(Page):
    """The base of what manages keys."""

    @property
    def authority(self) -> Authority:
        return Authority(self.visitor.scopes, self.visitor.user)

    def key(self, key_id: str) -> ApiKey:
        rows = ApiKey.objects.with_creators_role().for_tenant(self.visitor.acting_tenant)
        return get_object_or_404(rows, pk=key_id)

    def answer(self, form: KeyForm | None = None, status: int = 200, **told: Any) -> HttpResponse:
        rows = self.visitor.sees(ApiKey.objects.with_creators_role()).select_related("tenant")
        page = cursor_page(self.request, rows)
        return self.render(
            "pages/keys.html",
            status,
            page=page,
            rows=[KeyRow.of(key) for key in page.rows],
            form=form or KeyForm(),
            roles=list(self._roles()),
            scopes=[scope for scope in SCOPES if self.visitor.may(scope)],
            lifetimes=_LIFETIMES,
            overlaps=_OVERLAPS,
            **told,
        )

    def _roles(self) -> Iterator[tuple[str, str]]:
        """What the visitor can give a key, and how each is called."""
        for role in Role:
            if not beyond(ROLE_SCOPES[role], self.visitor.scopes):
                yield role.value, str(role.label)


class Keys(KeyPage):
    """The tenant's keys, and a form for another one."""

    scopes: ClassVar[dict[str, str]] = {"GET": "keys:manage", "POST": "keys:manage"}
    http_method_names = ["get", "head", "post"]

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.answer()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Answers with the page itself: a redirect would have to keep the key's text somewhere."""
        form = KeyForm.filled_in(request.POST)
        tenant = self.visitor.acting_tenant
        try:
            wanted = bodies.read(NewKey, form.asked()).wanted()
        except Invalid as refused:
            errors = {each.pointer.split("/")[1]: each.detail for each in refused.errors}
            return self.answer(KeyForm.filled_in(request.POST, errors), 422)
        key, text = keys.create(tenant, wanted, self.authority)
        return self.answer(made=key, text=text)


class RotateKey(KeyPage):
    scopes: ClassVar[dict[str, str]] = {"POST": "keys:manage"}
    http_method_names = ["post"]

    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        key = self.key(key_id)
        overlap = request.POST.get("overlap_seconds", "3600")
        asked = {"overlap_seconds": int(overlap) if _is_number(overlap) else overlap}
        overlap_s = bodies.read(Rotation, asked).overlap_seconds
        successor, text = keys.rotate(key, overlap_s, self.authority)
        return self.answer(made=successor, text=text)


class RevokeKey(KeyPage):
    scopes: ClassVar[dict[str, str]] = {"POST": "keys:manage"}
    http_method_names = ["post"]

    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        key = keys.revoke(self.key(key_id))
        messages.success(request, f"{key.name} is revoked. It is refused within seconds.")
        return redirect("keys")
