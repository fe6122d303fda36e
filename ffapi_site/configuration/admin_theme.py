"""How the admin looks: the product's name, mark and colour, and the way around it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _mark(_request: HttpRequest) -> str:
    return static("img/mark.svg")


def _to(title: str, icon: str, model: str, needs: str = "") -> dict[str, Any]:
    """Lead to a model, like ``media_jobs.job``; nobody is led to what they may not see."""
    app, _, name = (needs or model).partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model.replace('.', '_')}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


_WORK = [
    _to("Jobs", "movie", "media_jobs.job"),
    _to("Dead letters", "skull", "media_jobs.deadletter", "media_jobs.job"),
    _to("Files", "folder", "storage.file"),
    _to("Webhooks", "webhook", "media_jobs.webhookdelivery"),
]
_MACHINES = [
    _to("Lanes", "alt_route", "media_jobs.pausedlane"),
    _to("Slots", "dns", "media_jobs.slot"),
    _to("Devices", "memory", "media_jobs.devicehealth"),
    _to("Maintenance", "event_repeat", "media_jobs.maintenancechore"),
]
_WHO = [
    _to("Tenants", "domain", "accounts.tenant"),
    _to("People", "group", "accounts.user"),
    _to("API keys", "key", "accounts.apikey"),
    _to("Plans", "sell", "accounts.plan"),
]
_TRAIL = [
    {"title": "Chains", "icon": "history_edu", "link": reverse_lazy("audit")},
    _to("Records", "list_alt", "accounts.auditrecord"),
    _to("Checkpoints", "verified", "accounts.auditcheckpoint"),
    _to("Signing keys", "signature", "accounts.auditkey"),
    _to("Forwarding", "outbound", "accounts.auditforwarding"),
]
_OVERVIEW = {"title": "Overview", "icon": "monitoring", "link": reverse_lazy("admin:index")}

THEME: dict[str, Any] = {
    "SITE_TITLE": "FFAPI",
    "SITE_HEADER": "FFAPI",
    "SITE_SUBHEADER": "Administration",
    "SITE_ICON": _mark,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _mark}],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "media_jobs.admin.dashboard.show",
    "STYLES": [lambda _request: static("css/admin.css")],
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {"items": [_OVERVIEW]},
            {"title": "Work", "separator": True, "items": _WORK},
            {"title": "Machines", "separator": True, "items": _MACHINES},
            {"title": "Who", "separator": True, "items": _WHO},
            {"title": "Audit log", "separator": True, "items": _TRAIL},
        ],
    },
    "COLORS": {
        "primary": {
            "50": "#eef2ff",
            "100": "#e0e7ff",
            "200": "#c7d2fe",
            "300": "#a5b4fc",
            "400": "#818cf8",
            "500": "#6366f1",
            "600": "#4f46e5",
            "700": "#4338ca",
            "800": "#3730a3",
            "900": "#312e81",
            "950": "#1e1b4b",
        }
    },
}
