from __future__ import annotations

from typing import ClassVar

from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.web.page import Page
from ffapi_site.lib.problem_handler import problem_response
from ffapi_site.lib.problems import Problem, at
from storage import intake, store
from storage.models.file import Origin
from storage.names import clean_name


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
        with at("/name"):
            name = clean_name(request.GET.get("name", ""))
        length = request.headers.get("Content-Length", "")
        sender = intake.Sender(self.visitor.acting_tenant)
        announced_bytes = int(length) if length.isdecimal() else 0
        with intake.place_for_upload(sender, announced_bytes) as place:
            sha256 = place.write_body(request)
            arrival = intake.Arrival(sender, place, name, "", Origin.UPLOAD, "/file", sha256)
            file = arrival.take_in()
        store.publish(file)
        told = {"id": file.pk, "name": file.name, "size_bytes": file.size_bytes}
        return JsonResponse(told | {"media": file.media}, status=201)
