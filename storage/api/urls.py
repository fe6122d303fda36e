from __future__ import annotations

from django.urls import path

from storage.api.file_content import FileContent
from storage.api.files import Files, OneFile

urlpatterns = [
    path("files", Files.as_view(), name="api-files"),
    path("files/<str:file_id>", OneFile.as_view(), name="api-file"),
    path("files/<str:file_id>/content", FileContent.as_view(), name="api-file-content"),
]
