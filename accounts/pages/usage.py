from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import UsageEntry
from accounts.pages.usage_chart import chart_of
from accounts.quotas import overview
from accounts.quotas.status import Standing
from accounts.usage import csv_sheet, report
from accounts.usage.period import period_of
from accounts.usage.report import Period
from accounts.web.page import Page
from ffapi_site.lib.dispositions import content_disposition
from ffapi_site.lib.problems import Invalid

_GROUPS = {"day": "Day", "operation": "Operation", "api_key": "API key"}


def _asked(request: HttpRequest) -> tuple[Period, str]:
    """Read the period and the group; raises `Invalid`."""
    group_by = request.GET.get("group_by", "day")
    period = period_of(request.GET.get("from"), request.GET.get("to"))
    return period, group_by if group_by in report.GROUPS else "day"


class UsagePage(Page):
    """How the tenant stands with its limits, and what its jobs did cost."""

    scopes: ClassVar[dict[str, str]] = {"GET": "usage:read"}

    def get(self, request: HttpRequest) -> HttpResponse:
        refused = ""
        try:
            period, group_by = _asked(request)
        except Invalid as invalid:
            refused, (period, group_by) = invalid.detail, (period_of(None, None), "day")
        entries = self.visitor.sees(UsageEntry.objects.all())
        by_day = report.rows(entries, period, "day")
        rows = by_day if group_by == "day" else report.rows(entries, period, group_by)
        return self.render(
            "pages/usage.html",
            status=422 if refused else 200,
            refused=refused,
            period=period,
            group_by=group_by,
            groups=_GROUPS,
            group=_GROUPS[group_by],
            chart=chart_of(by_day),
            rows=[row for row in reversed(rows) if row.sums["jobs"]] if group_by == "day" else rows,
            total=report.total(by_day),
            currency=settings.USAGE_CURRENCY,
            has_prices=bool(settings.USAGE_PRICES),
            **self._quotas(),
        )

    def _quotas(self) -> dict[str, object]:
        """Of one tenant: all tenants together have no limits."""
        tenant = self.visitor.tenant
        if tenant is None:
            return {"tenant": None}
        standings = overview.of_tenant(tenant)
        return {
            "tenant": tenant,
            "limited": [each for each in standings if _is_bar(each)],
            "bounds": [each for each in standings if each.limit is not None and not _is_bar(each)],
        }


def _is_bar(standing: Standing) -> bool:
    is_filled = standing.quota.is_counted or standing.quota.unit == "jobs"
    return standing.limit is not None and is_filled


class UsageSheet(Page):
    """The same table for a spreadsheet."""

    scopes: ClassVar[dict[str, str]] = {"GET": "usage:read"}

    def get(self, request: HttpRequest) -> HttpResponse:
        period, group_by = _asked(request)
        found = report.rows(self.visitor.sees(UsageEntry.objects.all()), period, group_by)
        text = csv_sheet.write(group_by, found, settings.USAGE_CURRENCY)
        response = HttpResponse(text, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = content_disposition("usage.csv")
        return response
