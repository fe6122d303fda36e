from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError

from accounts.pages.page import Page
from ffapi_site.lib.idle import release_connections
from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import Malformed, Problem, invalid
from storage import intake, names, sniff, store
from storage.api import uploads
from storage.models import File
from storage.models.file import Origin

_CHUNK_BYTES = 256 * 1024


class Upload(Page):
    """Take a file from a page's script, which shows how far it is.

    The bytes are the whole body and the name is in the query: Django's form parser would spool
    them first, before the form's token is checked and without a limit.
    """

    scopes: ClassVar[dict[str, str]] = {"POST": "files:create"}
    http_method_names = ["post"]

    def answer_problem(self, problem: Problem) -> HttpResponse:
        return problem_response(self.request, problem)

    def post(self, request: HttpRequest) -> HttpResponse:
        tenant, name = self.visitor.acting_tenant, _name(request)
        length = request.headers.get("Content-Length", "")
        release_connections()  # an upload takes as long as the client likes
        with uploads.temporary(int(length) if length.isdecimal() else 0) as path:
            _write(request, path)
            try:
                file = intake.take_in(tenant, path, name=name, origin=Origin.UPLOAD)
            except sniff.Refused as refused:
                raise invalid("/file", refused.detail, refused.code) from refused
        store.publish(file)
        return JsonResponse(_told(file), status=201)


def _name(request: HttpRequest) -> str:
    try:
        return names.clean_name(request.GET.get("name", ""))
    except names.NameRefused as refused:
        raise invalid("/name", refused.detail, refused.code) from refused


def _write(request: HttpRequest, path: Path) -> None:
    size_bytes = 0
    try:
        with uploads.create(path) as target:
            while part := request.read(_CHUNK_BYTES):
                size_bytes += len(part)
                if size_bytes > settings.MAX_FILE_SIZE_BYTES:
                    raise uploads.too_large()
                target.write(part)
    except UnreadablePostError as error:
        raise Malformed("the body ended early", code="body_incomplete") from error


def _told(file: File) -> dict[str, object]:
    return {"id": file.pk, "name": file.name, "size_bytes": file.size_bytes, "media": file.media}
