from __future__ import annotations

from typing import ClassVar

from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError

from accounts.models import Tenant
from accounts.quotas import bounds, reservations
from accounts.web.page import Page
from ffapi_site.lib import ongoing
from ffapi_site.lib.database_release import release_connections
from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import Malformed, Problem, invalid
from storage import intake, names, sniff, store
from storage.intake import uploads
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
        with ongoing.UPLOADS.one_of(tenant.pk):
            return self._take(request, tenant, name)

    def _take(self, request: HttpRequest, tenant: Tenant, name: str) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        announced_bytes = int(length) if length.isdecimal() else 0
        most_bytes = bounds.of(tenant).file_bytes
        if announced_bytes > most_bytes:
            raise uploads.too_large(most_bytes)
        hold = reservations.hold_storage(tenant.pk, None, announced_bytes)
        try:
            release_connections()  # an upload takes as long as the client likes
            with uploads.landing(announced_bytes) as to:
                _write(request, to, most_bytes)
                file = intake.take_in(tenant, to.path, name=name, origin=Origin.UPLOAD, hold=hold)
        except sniff.Refused as refused:
            raise invalid("/file", refused.detail, refused.code) from refused
        finally:
            reservations.drop_hold(hold)
        store.publish(file)
        return JsonResponse(_told(file), status=201)


def _name(request: HttpRequest) -> str:
    try:
        return names.clean_name(request.GET.get("name", ""))
    except names.NameRefused as refused:
        raise invalid("/name", refused.detail, refused.code) from refused


def _write(request: HttpRequest, to: uploads.Landing, most_bytes: int) -> None:
    size_bytes = 0
    try:
        with to.create() as target:
            while part := request.read(_CHUNK_BYTES):
                size_bytes += len(part)
                if size_bytes > most_bytes:
                    raise uploads.too_large(most_bytes)
                target.write(part)
    except UnreadablePostError as error:
        raise Malformed("the body ended early", code="body_incomplete") from error


def _told(file: File) -> dict[str, object]:
    return {"id": file.pk, "name": file.name, "size_bytes": file.size_bytes, "media": file.media}
