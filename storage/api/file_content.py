from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts import rate_limit
from accounts.web.api_view import TenantAPIView
from ffapi_site.lib import query, scope
from ffapi_site.lib.problems import Forbidden, NotFound
from ffapi_site.lib.renderers import AnyContent
from ffapi_site.lib.signing import check_link
from storage import store
from storage.api import content
from storage.api.media_host import is_media_host
from storage.api.openapi import CONTENT, CONTENT_QUERY
from storage.models import File

_SHOWN_IN_PLACE = ("audio/", "video/", "image/")


class FileContent(TenantAPIView):
    """The bytes: for a key of the tenant, or for whoever holds a signed link."""

    scopes: ClassVar = {"GET": "files:read"}
    also_answers: ClassVar = (416,)
    renderer_classes = [AnyContent]

    @extend_schema(parameters=CONTENT_QUERY, responses=CONTENT)
    def get(self, request: Request, file_id: str) -> HttpResponseBase:
        """The bytes of a file, or a range of them."""
        query.only(request, ("token", "disposition"))
        inline = query.choice(request, "disposition", ("attachment", "inline")) == "inline"
        file = _named(file_id) if self._has_link else self.own(File.objects.published(), file_id)
        if settings.MEDIA_ORIGIN and self._has_link and not is_media_host(request._request):  # noqa: SLF001 -- plain
            # A link of earlier days: the site's own host shows nobody's media.
            location = f"{settings.MEDIA_ORIGIN}{request.get_full_path()}"
            return HttpResponse(status=307, headers={"Location": location})
        if inline and not file.content_type.startswith(_SHOWN_IN_PLACE):
            raise query.wrong("disposition", "only sound, video and pictures are shown in place")
        try:
            return content.respond(request._request, file, inline=inline)  # noqa: SLF001 -- plain
        except store.Gone as gone:
            raise NotFound from gone

    @property
    def _has_link(self) -> bool:
        return "token" in self.request.query_params

    def perform_authentication(self, request: Request) -> None:
        if not self._has_link:
            return super().perform_authentication(request)
        token = query.text(request, "token") or ""
        if not check_link(token, self.kwargs["file_id"]):
            rate_limit.count_stranger(request._request)  # noqa: SLF001 -- DRF has no public name
            detail = "the link has ended or was changed; ask for the file again to get a fresh one"
            raise Forbidden(detail, code="link_not_valid")
        return None

    def check_permissions(self, request: Request) -> None:
        if not self._has_link:
            super().check_permissions(request)


def _named(file_id: str) -> File:
    """The file of a link that was checked: its id is one of ours.

    A link is the tenant's, whoever asked for it; it ends when its time is up, and with the tenant.
    """
    with scope.within(scope.EVERY_TENANT):
        file = File.objects.published().select_related("tenant").filter(pk=file_id).first()
    if file is None:
        raise NotFound
    if not file.tenant.is_active:
        raise Forbidden("the link has ended", code="link_not_valid")
    scope.enter(file.tenant_id)
    return file
