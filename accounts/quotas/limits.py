"""Whose limits are what. Each change counts anew what is limited from now on, and is audited.

A tenant's limits in force are its plan's with its own in their place; a key has only its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection, transaction

from accounts import audit
from accounts.audit_events import AuditEvent
from accounts.models import ApiKey, Plan, Tenant
from accounts.quotas import recount
from accounts.quotas.catalogue import CONCURRENT_JOBS, QUEUED_JOBS
from accounts.quotas.parsing import Limits, read
from ffapi_site.lib.problems import FieldError, Invalid

_CAPS = (CONCURRENT_JOBS, QUEUED_JOBS)  # columns of their own: the claim reads them


def set_for_tenant(tenant: Tenant, quota: Mapping[str, int | None]) -> None:
    """Put ``quota`` in the place of the tenant's own limits. Raises `Invalid` under ``/quota``."""
    wanted = read(quota)
    with transaction.atomic():
        locked, plan = _held_with_plan(tenant)
        before, locked.quota = locked.quota, wanted
        _put_in_force(locked, plan)
        told = {"before": before, "after": wanted}
        audit.record(AuditEvent.QUOTA_CHANGED, tenant.pk, tenant.pk, details=told)
    _take_over(tenant, locked)


def set_for_key(api_key: ApiKey, quota: Mapping[str, int | None], *, audited: bool = True) -> None:
    """Put ``quota`` in the place of the key's limits. Raises `Invalid` under ``/quota``.

    Who makes the key, or tells of the change in a record of their own, does not want another.
    """
    wanted = {name: limit for name, limit in read(quota, of_key=True).items() if limit is not None}
    with transaction.atomic():
        locked_tenant(api_key.tenant)
        before = ApiKey.objects.values_list("quota", flat=True).get(pk=api_key.pk)
        api_key.quota = wanted
        api_key.max_concurrent_jobs = wanted.get(CONCURRENT_JOBS)
        api_key.save(update_fields=["quota", "max_concurrent_jobs"])
        recount.of_subject(api_key.tenant_id, api_key.pk, wanted)
        if audited:
            told = {"before": before, "after": wanted}
            audit.record(AuditEvent.QUOTA_CHANGED, api_key.tenant_id, api_key.pk, details=told)


def set_plan(tenant: Tenant, plan: str | None) -> None:
    """Give the tenant the plan of this name, or none. Raises `Invalid` under ``/plan``."""
    with transaction.atomic():
        held = _held(plan)
        if plan is not None and held is None:
            errors = [FieldError("/plan", f"there is no plan {plan}", "unknown")]
            raise Invalid(f"there is no plan {plan}", errors=errors)
        locked = locked_tenant(tenant)
        before, locked.plan_id = locked.plan_id, plan
        _put_in_force(locked, held)
        told = {"before": before, "after": plan}
        audit.record(AuditEvent.TENANT_PLAN_CHANGED, tenant.pk, tenant.pk, details=told)
    _take_over(tenant, locked)


def put_plan(
    name: str, limits: Mapping[str, int | None], *, suspend_after_violations: int | None = None
) -> Plan:
    """Make or change a plan, for every tenant that has it. Raises `Invalid` under ``/limits``."""
    wanted = {
        name: each for name, each in read(limits, pointer="/limits").items() if each is not None
    }
    with transaction.atomic():
        before = Plan.objects.select_for_update().filter(pk=name).first()
        values = {"limits": wanted, "suspend_after_violations": suspend_after_violations}
        plan, _ = Plan.objects.update_or_create(pk=name, defaults=values)
        # In one order, so that two such changes don't wait for each other.
        for tenant in Tenant.objects.filter(plan_id=name).order_by("pk"):
            locked = locked_tenant(tenant)
            if locked.plan_id == name:
                _put_in_force(locked, plan)
        told = {"before": before.limits if before else None, "after": wanted}
        told["suspend_after_violations"] = suspend_after_violations
        audit.record(AuditEvent.PLAN_CHANGED, None, name, details=told)
    return plan


def locked_tenant(tenant: Tenant) -> Tenant:
    """Keep the tenant's work and files as they are: whatever makes one refers to this row.

    Before any of its keys: who changes a key's limits has them in this order.
    """
    return Tenant.objects.select_for_update().get(pk=tenant.pk)


def refer_to(tenant_id: str) -> None:
    """Hold a tenant's row as what refers to it does, for whoever changes a key and records that.

    The record would ask for it at the commit, with the key in hand: see `locked_tenant`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_tenant WHERE id = %s FOR KEY SHARE", [tenant_id])


def in_force(plan: Mapping[str, int] | None, own: Limits) -> dict[str, int]:
    both = dict(plan or {}) | own
    return {name: limit for name, limit in both.items() if limit is not None}


def _held(plan: str | None) -> Plan | None:
    """Keep a plan as it is until its limits are a tenant's: who changes it looks for tenants then.

    Before the tenant's row, as a change of the plan has them.
    """
    if plan is None:
        return None
    return Plan.objects.select_for_update(no_key=True).filter(pk=plan).first()


def _held_with_plan(tenant: Tenant) -> tuple[Tenant, Plan | None]:
    """Hold the tenant's plan, then the tenant; both anew where it was given another meanwhile."""
    plan_id = tenant.plan_id
    while True:
        before = transaction.savepoint()
        plan = _held(plan_id)
        locked = locked_tenant(tenant)
        if locked.plan_id == plan_id:
            transaction.savepoint_commit(before)
            return locked, plan
        transaction.savepoint_rollback(before)  # lets go of both
        plan_id = locked.plan_id


def _put_in_force(tenant: Tenant, plan: Plan | None) -> None:
    tenant.limits = in_force(plan.limits if plan else None, tenant.quota)
    tenant.max_concurrent_jobs = tenant.limits.get(CONCURRENT_JOBS)
    tenant.max_queued_jobs = tenant.limits.get(QUEUED_JOBS)
    tenant.save(update_fields=["plan", "quota", "limits", *_CAPS])
    recount.of_subject(tenant.pk, None, tenant.limits)


def _take_over(tenant: Tenant, changed: Tenant) -> None:
    """Let who holds the row see what it says now."""
    for name in ("plan_id", "quota", "limits", *_CAPS):
        setattr(tenant, name, getattr(changed, name))
