from __future__ import annotations

from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.web.cursor import cursor_page
from accounts.web.page import Page
from storage import store
from storage.models import File
from storage.pages.file_links import link


class FileList(Page):
    """The tenant's files, newest first."""

    scopes: ClassVar[dict[str, str]] = {"GET": "files:read"}

    def get(self, request: HttpRequest) -> HttpResponse:
        files = self.visitor.sees(File.objects.published()).select_related("tenant")
        search = request.GET.get("search", "").strip()[:200]
        if search:
            files = files.searchable().filter(name__icontains=search)
        page = cursor_page(request, files)
        links = [link(file) for file in page.rows]
        return self.render("pages/files.html", page=page, links=links, search=search)


class DeleteFile(Page):
    scopes: ClassVar[dict[str, str]] = {"POST": "files:delete"}
    http_method_names = ["post"]

    def post(self, request: HttpRequest, file_id: str) -> HttpResponse:
        files = File.objects.published().for_tenant(self.visitor.acting_tenant)
        file = get_object_or_404(files, pk=file_id)
        store.remove(file)
        messages.success(request, f"{file.name} is deleted.")
        return redirect("files")
