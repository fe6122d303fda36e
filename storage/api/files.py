from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit, idempotency
from accounts.audit_events import AuditEvent
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import bodies
from ffapi_site.lib.openapi import PAGING, page_of
from ffapi_site.lib.problems import NotFound
from storage import intake, store
from storage.api import upload
from storage.api.file_list import FILTERS, filtered
from storage.api.file_schemas import FileBody, FileChanges, FileOptions, ImportRequest, to_json
from storage.api.openapi import QUERY, UPLOAD
from storage.intake import Arrival, Sender
from storage.models import File


class Files(TenantAPIView):
    scopes: ClassVar = {"GET": "files:read", "POST": "files:create"}
    orderings: ClassVar = {"created_at": "id", "size_bytes": "size_bytes", "name": "name"}
    takeover_after_s = settings.DOWNLOAD_TIMEOUT_SECONDS + 300.0

    cleanup: ExitStack

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self.cleanup:
            return super().dispatch(request, *args, **kwargs)

    @extend_schema(parameters=[*QUERY, *PAGING], responses=page_of("FileBody"))
    def get(self, request: Request) -> Response:
        """The tenant's files, the newest first."""
        return self.page(
            filtered(request, self.tenant),
            lambda files: [to_json(file) for file in files],
            filters=FILTERS,
        )

    @extend_schema(request=UPLOAD, responses={201: FileBody})
    def post(self, request: Request) -> Response:
        """Upload a file, or have one fetched from an address."""
        file = self.made_before(File.objects.published()) or self._take_in(request)
        return Response(to_json(file), status=201, headers={"Location": f"/v1/files/{file.pk}"})

    def _take_in(self, request: Request) -> File:
        arrival, options = self._arrived(request)
        file = arrival.take_in(
            name=options.name or "", tags=options.tags, metadata=options.metadata
        )
        with transaction.atomic():
            store.publish(file)
            self.note_made(file)
        return file

    def _arrived(self, request: Request) -> tuple[Arrival, FileOptions]:
        if _is_multipart(request):
            return self._upload.arrival, self._upload.options
        wanted = bodies.read(ImportRequest, request.data)
        return self.cleanup.enter_context(intake.fetched(self._sender, wanted.url)), wanted

    @property
    def _sender(self) -> Sender:
        return Sender(self.tenant, self.caller.api_key)

    @cached_property
    def _upload(self) -> upload.Upload:
        body = self.request._request  # noqa: SLF001 -- not parsed yet
        key = self.request.headers.get("Idempotency-Key")
        # What is there already needs no room, and has its answer whatever the quotas say by now.
        is_repeated = key is not None and idempotency.is_known(self.tenant, key)
        return upload.read(body, self._sender, self.cleanup, is_repeated=is_repeated)

    def fingerprint(self, request: Request) -> str:
        if not _is_multipart(request):
            return super().fingerprint(request)
        sent = self._upload
        said = sorted((name, values) for name, values in sent.fields.lists())
        content = (request.get_full_path(), sent.arrival.name, sent.arrival.sha256, said)
        return hashlib.sha256(repr(content).encode()).hexdigest()


def _is_multipart(request: Request) -> bool:
    return request.content_type.startswith("multipart/")


class OneFile(TenantAPIView):
    scopes: ClassVar = {"GET": "files:read", "PATCH": "files:create", "DELETE": "files:delete"}

    @extend_schema(responses=FileBody)
    def get(self, request: Request, file_id: str) -> Response:
        """One file; `download_url` is fresh each time."""
        return Response(to_json(self._file(file_id)))

    @extend_schema(request=FileChanges, responses=FileBody)
    def patch(self, request: Request, file_id: str) -> Response:
        """Change what is said about a file; its bytes never change."""
        file = self._file(file_id)
        changes = bodies.read(FileChanges, request.data).model_dump(exclude_unset=True)
        if changes:
            self._change(file, changes)
        return Response(to_json(file))

    def _change(self, file: File, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            setattr(file, name, value)
        with transaction.atomic():
            if not File.objects.published().filter(pk=file.pk).update(**changes):
                raise NotFound  # it was deleted since it was read
            told = {"changed": sorted(changes)}
            audit.record(AuditEvent.FILE_CHANGED, file.tenant_id, file.pk, details=told)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, file_id: str) -> Response:
        """Delete a file that no unfinished job reads."""
        store.remove(self._file(file_id))
        return Response(status=204)

    def _file(self, file_id: str) -> File:
        return self.own(File.objects.published(), file_id)
