from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from accounts.admin.confirming import HasActions, confirmed
from accounts.admin.listed import by
from accounts.admin_site import ReadOnlyAdmin, site
from accounts.quotas import alerts
from media_jobs.admin import wording
from media_jobs.events import webhooks
from media_jobs.models import WebhookDelivery
from media_jobs.models.job import FINAL

EVENTS = (*(f"job.{status}" for status in FINAL), *alerts.EVENTS)


@admin.register(WebhookDelivery, site=site)
class WebhookDeliveryAdmin(HasActions, ReadOnlyAdmin):
    list_display = ("id", "tenant", "event", "to", "state", "attempt", "last_status", "created_at")
    list_filter = (
        ("tenant", AutocompleteSelectFilter),
        by("event", EVENTS),
        ("delivered_at", admin.EmptyFieldListFilter),
        ("next_attempt_at", admin.EmptyFieldListFilter),
    )
    list_filter_submit = True
    list_select_related = ("tenant",)
    search_fields = ("id", "url", "job__id", "tenant__name")
    show_full_result_count = False  # a count of every row at each look is dear on a large table
    fields = (
        ("state", "event"),
        ("owner", "of_job"),
        "to",
        ("attempt", "last_status"),
        ("next_attempt_at", "delivered_at"),
        "last_error",
        "created_at",
    )
    readonly_fields = ("state", "owner", "of_job", "to")
    actions = ("redeliver",)

    def to(self, delivery: WebhookDelivery) -> str:
        return wording.address(delivery.url)

    @admin.display(description="tenant")
    def owner(self, delivery: WebhookDelivery) -> SafeString:
        return wording.tenant_link(delivery.tenant)

    @admin.display(description="job")
    def of_job(self, delivery: WebhookDelivery) -> SafeString:
        return wording.job_link(delivery.job_id)

    @display(label={"delivered": "success", "given up": "danger", "on its way": "info"})
    def state(self, delivery: WebhookDelivery) -> str:
        if delivery.delivered_at:
            return "delivered"
        return "on its way" if delivery.next_attempt_at else "given up"

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.change_webhookdelivery")

    @confirmed(
        "Send the chosen webhooks once more",
        verb="Send again",
        done="will be sent within seconds",
        permissions=["redeliver"],
    )
    def redeliver(self, _request: HttpRequest, delivery: WebhookDelivery) -> None:
        webhooks.redeliver(delivery)
