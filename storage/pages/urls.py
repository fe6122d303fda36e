from __future__ import annotations

from django.urls import path

from storage.pages import files, upload

urlpatterns = [
    path("files", files.FileList.as_view(), name="files"),
    path("files/upload", upload.Upload.as_view(), name="upload"),
    path("files/<slug:file_id>/delete", files.DeleteFile.as_view(), name="delete_file"),
]
