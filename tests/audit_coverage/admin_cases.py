"""What staff do in the admin. A new model, action or page of its own needs one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from accounts.quotas import suspension
from tests.audit_coverage.api_cases import Case
from tests.audit_coverage.stage import REASON, Ask, Stage
from tests.factories import (
    ApiKeyFactory,
    FileFactory,
    JobFactory,
    PlanFactory,
    UserFactory,
    WebhookDeliveryFactory,
)
from tests.harness.signing_in import enrolled

_NO_MEMBERS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
_WORDS = "seven small boats on a lake"
_SURE = {"confirmed": "yes", "reason": REASON}


def _chosen(label: str, action: str, make: Callable[[Stage], Any], **more: Any) -> Case:
    """An action on one row; ``more`` is what the record says besides."""
    event = more.pop("event")

    def prepare(stage: Stage) -> Ask:
        row = make(stage)
        path = reverse(f"admin:{label.replace('.', '_')}_changelist")
        form = {"action": action, "_selected_action": [row.pk], **_SURE}
        return Ask(path, form, **{"about": str(row.pk), **more})

    return event, prepare


def _tenant(stage: Stage) -> Tenant:
    return stage.tenant


def _suspended(stage: Stage) -> Tenant:
    Tenant.objects.filter(pk=stage.tenant.pk).update(is_active=False)
    return stage.tenant


def _held(stage: Stage) -> Tenant:
    suspension.suspend(stage.tenant, REASON)
    return stage.tenant


def _job(**traits: Any) -> Callable[[Stage], Any]:
    return lambda stage: JobFactory.create(tenant=stage.tenant, **traits)


def _dead(stage: Stage) -> Any:
    return JobFactory.create(tenant=stage.tenant, failed=True, quarantined_at=timezone.now())


def _file(stage: Stage) -> Any:
    return FileFactory.create(tenant=stage.tenant)


def _key(stage: Stage) -> Any:
    return ApiKeyFactory.create(tenant=stage.tenant)


def _webhook(stage: Stage) -> Any:
    job = JobFactory.create(tenant=stage.tenant, failed=True)
    return WebhookDeliveryFactory.create(job=job, next_attempt_at=None)


def _enrolled(stage: Stage) -> Any:
    enrolled(stage.member)
    return stage.member


def _add_tenant(_stage: Stage) -> Ask:
    form = {"name": "atelier", "reason": REASON, **_NO_MEMBERS}
    return Ask(reverse("admin:accounts_tenant_add"), form, about="*", of_tenant=False)


def _change_tenant(stage: Stage) -> Ask:
    form = {"name": "studio", "requires_totp": "on", "reason": REASON, **_NO_MEMBERS}
    path = reverse("admin:accounts_tenant_change", args=[stage.tenant.pk])
    return Ask(path, form, about=stage.tenant.pk)


def _add_person(_stage: Stage) -> Ask:
    form = {"username": "dora", "usable_password": "true", **_NO_MEMBERS}
    form |= {"password1": _WORDS, "password2": _WORDS}
    return Ask(reverse("admin:accounts_user_add"), form, about="*", of_tenant=False)


def _change_person(_stage: Stage) -> Ask:
    person = UserFactory.create()
    form = {"username": person.username, "first_name": "Dora", "is_active": "on", **_NO_MEMBERS}
    path = reverse("admin:accounts_user_change", args=[person.pk])
    return Ask(path, form, about=str(person.pk), of_tenant=False)


def _password(stage: Stage) -> Ask:
    path = reverse("admin:auth_user_password_change", args=[stage.member.pk])
    form = {"password1": _WORDS, "password2": _WORDS}
    return Ask(path, form, about=str(stage.member.pk))


def _add_plan(_stage: Stage) -> Ask:
    form = {"name": "small", "max_jobs_per_day": "9", "reason": REASON}
    return Ask(reverse("admin:accounts_plan_add"), form, about="small", of_tenant=False)


def _change_plan(_stage: Stage) -> Ask:
    PlanFactory.create(name="small")
    form = {"max_jobs_per_day": "9", "reason": REASON}
    path = reverse("admin:accounts_plan_change", args=["small"])
    return Ask(path, form, about="small", of_tenant=False)


def _plan(stage: Stage) -> Ask:
    PlanFactory.create(name="small")
    path = reverse("admin:accounts_tenant_plan", args=[stage.tenant.pk])
    return Ask(path, {"plan": "small", "reason": REASON}, about=stage.tenant.pk)


def _limits(stage: Stage) -> Ask:
    path = reverse("admin:accounts_tenant_limits", args=[stage.tenant.pk])
    return Ask(path, {"max_jobs_per_day": "9", "reason": REASON}, about=stage.tenant.pk)


def _steer(_stage: Stage) -> Ask:
    path = reverse("admin:media_jobs_pausedlane_steer", args=["cpu", "pause"])
    return Ask(path, _SURE, about="cpu", of_tenant=False)


def _reads(view: str, *args: str) -> Case:
    return "", lambda _stage: Ask(reverse(f"admin:{view}", args=args))


_EXPORTS: dict[str, Any] = {"about": "", "of_tenant": False}

ADMIN: dict[str, Case] = {
    "add accounts.tenant": ("tenant.created", _add_tenant),
    "change accounts.tenant": ("tenant.changed", _change_tenant),
    "suspend accounts.tenant": _chosen(
        "accounts.tenant", "suspend", _tenant, event="tenant.suspended"
    ),
    "resume accounts.tenant": _chosen(
        "accounts.tenant", "resume", _suspended, event="tenant.resumed"
    ),
    "hold accounts.tenant": _chosen("accounts.tenant", "hold", _tenant, event="quota.suspended"),
    "release accounts.tenant": _chosen(
        "accounts.tenant", "release", _held, event="quota.suspension_lifted"
    ),
    "POST admin:accounts_tenant_plan": ("tenant.plan_changed", _plan),
    "POST admin:accounts_tenant_limits": ("quota.changed", _limits),
    "add accounts.plan": ("plan.changed", _add_plan),
    "change accounts.plan": ("plan.changed", _change_plan),
    "add accounts.user": ("person.created", _add_person),
    "change accounts.user": ("person.changed", _change_person),
    "POST admin:auth_user_password_change": ("password.changed", _password),
    "reset_second_factor accounts.user": _chosen(
        "accounts.user", "reset_second_factor", _enrolled, event="totp.reset"
    ),
    "revoke accounts.apikey": _chosen("accounts.apikey", "revoke", _key, event="api_key.revoked"),
    "export accounts.apikey": _chosen(
        "accounts.apikey", "export", _key, event="api_key.exported", **_EXPORTS
    ),
    "cancel media_jobs.job": _chosen("media_jobs.job", "cancel", _job(), event="job.canceled"),
    "retry media_jobs.job": _chosen(
        "media_jobs.job", "retry", _job(failed=True), event="job.retried", about="*"
    ),
    "remove media_jobs.job": _chosen(
        "media_jobs.job", "remove", _job(completed=True), event="job.deleted"
    ),
    "export media_jobs.job": _chosen(
        "media_jobs.job", "export", _job(), event="job.exported", **_EXPORTS
    ),
    "requeue media_jobs.deadletter": _chosen(
        "media_jobs.deadletter", "requeue", _dead, event="job.requeued", about="*"
    ),
    "export media_jobs.deadletter": _chosen(
        "media_jobs.deadletter", "export", _dead, event="job.exported", **_EXPORTS
    ),
    "remove storage.file": _chosen("storage.file", "remove", _file, event="file.deleted"),
    "export storage.file": _chosen(
        "storage.file", "export", _file, event="file.exported", **_EXPORTS
    ),
    "redeliver media_jobs.webhookdelivery": _chosen(
        "media_jobs.webhookdelivery", "redeliver", _webhook, event="webhook.redelivered"
    ),
    "POST admin:media_jobs_pausedlane_steer": ("lane.paused", _steer),
    # The address of the sign-in is the pages' own; this one is behind it.
    "POST admin:login": _reads("login"),
    "POST admin:index": _reads("index"),
    "POST admin:app_list": _reads("app_list", "accounts"),
    "POST admin:search": _reads("search"),
    "POST admin:autocomplete": _reads("autocomplete"),
    "POST admin:jsi18n": _reads("jsi18n"),
    "POST admin:logout": (
        "session.ended",
        lambda _: Ask(reverse("admin:logout"), about="*", of_tenant=False),
    ),
    "POST admin:password_change": _reads("password_change"),
    "POST admin:password_change_done": _reads("password_change_done"),
    "POST admin:view_on_site": _reads("view_on_site", "1", "1"),
}
