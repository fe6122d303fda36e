from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import keys
from accounts.api.api_key_schemas import KeyBody, MadeKey, to_json
from accounts.keys import Authority
from accounts.keys.request_schemas import KeyChanges, NewKey, Rotation
from accounts.models import ApiKey
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import bodies
from ffapi_site.lib.openapi import PAGING, page_of


class KeyView(TenantAPIView):
    """The base of what manages keys."""

    @property
    def authority(self) -> Authority:
        return Authority.of_key(self.caller.api_key)

    def key(self, key_id: str) -> ApiKey:
        return self.own(ApiKey.objects.with_creators_role(), key_id)

    def fingerprint(self, request: Request) -> str:
        """Answers hold secrets: a key gets only those again that it got itself."""
        return super().fingerprint(request)[:32] + self.caller.api_key.pk[-26:]


def _told_once(key: ApiKey, text: str) -> Response:
    headers = {"Location": f"/v1/api-keys/{key.pk}"}
    return Response(to_json(key) | {"key": text}, status=201, headers=headers)


class ApiKeys(KeyView):
    scopes: ClassVar = {"GET": "keys:manage", "POST": "keys:manage"}

    @extend_schema(parameters=PAGING, responses=page_of("KeyBody"))
    def get(self, request: Request) -> Response:
        """The tenant's keys, the newest first; their texts are not kept."""

        def told(found: list[ApiKey]) -> list[Any]:
            return [to_json(key) for key in found]

        return self.page(ApiKey.objects.with_creators_role(), told)

    @extend_schema(request=NewKey, responses={201: MadeKey})
    def post(self, request: Request) -> Response:
        """Make a key; its text is in this answer and nowhere else."""
        wanted = bodies.read(NewKey, self.sent).wanted(self.caller.api_key)
        if made := self.made_before(ApiKey.objects.with_creators_role()):
            return _told_once(made, keys.retell(made))
        with transaction.atomic():
            key, text = keys.create(self.tenant, wanted, self.authority)
            self.note_made(key)
        return _told_once(key, text)


class OneApiKey(KeyView):
    scopes: ClassVar = {"GET": "keys:manage", "PATCH": "keys:manage"}

    @extend_schema(responses=KeyBody)
    def get(self, request: Request, key_id: str) -> Response:
        """One key."""
        return Response(to_json(self.key(key_id)))

    @extend_schema(request=KeyChanges, responses=KeyBody)
    def patch(self, request: Request, key_id: str) -> Response:
        """Change a key's name or bounds; every process knows within seconds."""
        key = self.key(key_id)
        changes = bodies.read(KeyChanges, self.sent).model_dump(exclude_unset=True)
        return Response(to_json(keys.change(key, changes, self.authority)))


class RotateKey(KeyView):
    scopes: ClassVar = {"POST": "keys:manage"}

    @extend_schema(request=Rotation, responses={201: MadeKey})
    def post(self, request: Request, key_id: str) -> Response:
        """Make a key's successor; the key itself ends after the overlap."""
        key = self.key(key_id)
        overlap_s = bodies.read(Rotation, self.sent).overlap_seconds
        if made := self.made_before(ApiKey.objects.with_creators_role()):
            return _told_once(made, keys.retell(made))
        with transaction.atomic():
            successor, text = keys.rotate(key, overlap_s, self.authority)
            self.note_made(successor)
        return _told_once(successor, text)


class RevokeKey(KeyView):
    scopes: ClassVar = {"POST": "keys:manage"}

    @extend_schema(request=None, responses=KeyBody)
    def post(self, request: Request, key_id: str) -> Response:
        """End a key for good; it is refused everywhere within seconds."""
        key = self.key(key_id)
        bodies.read_nothing(self.sent)
        return Response(to_json(keys.revoke(key)))
