from __future__ import annotations

from typing import ClassVar

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import Tenant
from accounts.web import impersonation
from accounts.web.page import Page
from accounts.web.visitor import EVERY_TENANT, choose_tenant
from ffapi_site.lib import scope
from ffapi_site.lib.problems import Invalid

_SUGGESTED = 200


class ChooseTenant(Page):
    """Switch to another of the person's tenants; staff may act for any, with a reason."""

    scopes: ClassVar[dict[str, str]] = {}
    http_method_names = ["get", "head", "post"]

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self._ask()

    def post(self, request: HttpRequest) -> HttpResponse:
        wanted = request.POST.get("tenant", "").replace("\0", "").strip()
        if wanted == EVERY_TENANT and self.visitor.user.is_staff:
            self._switch(request, wanted, None)
        elif tenant := next((each for each in self.visitor.tenants if each.pk == wanted), None):
            self._switch(request, wanted, tenant)
        else:
            return self._enter(request, wanted)
        return HttpResponseRedirect("/")

    def _switch(self, request: HttpRequest, wanted: str, tenant: Tenant | None) -> None:
        """One record: the end of acting for a tenant where that ends with it."""
        choose_tenant(request, wanted)
        if impersonation.stop(request, why="left"):
            return
        tenant_id = tenant.pk if tenant else None
        with scope.within(scope.EVERY_TENANT), transaction.atomic():
            request.session.save()
            audit.record(AuditEvent.TENANT_CHOSEN, tenant_id, wanted)

    def _enter(self, request: HttpRequest, wanted: str) -> HttpResponse:
        if not self.visitor.user.is_staff:
            raise Http404
        with scope.within(scope.EVERY_TENANT):
            active = Tenant.objects.filter(is_active=True)
            # By the id first: a tenant may have been given another's for a name.
            by_id = active.filter(pk=wanted).first()
            tenant = by_id or get_object_or_404(active, name=wanted)
        try:
            impersonation.start(request, tenant, request.POST.get("reason", ""))
        except Invalid as refused:
            return self._ask(refused)
        return HttpResponseRedirect("/")

    def _ask(self, refused: Invalid | None = None) -> HttpResponse:
        if not self.visitor.user.is_staff:
            raise Http404
        with scope.within(scope.EVERY_TENANT):
            active = Tenant.objects.filter(is_active=True)
            names = list(active.values_list("name", flat=True)[:_SUGGESTED])
        return self.render(
            "pages/act_for_tenant.html",
            status=refused.status if refused else 200,
            names=names,
            refused=refused,
            minutes=impersonation.LONGEST_S // 60,
        )
