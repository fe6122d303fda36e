"""What a queued job is told of its wait is what the claim in the database goes by.

The rules stand twice, as SQL that picks a job and as Python that explains; here random scenes are
held against both.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey, Tenant
from media_jobs.engine.queue_position import Reason, places
from media_jobs.models import Job, PausedLane, Slot, Status
from tests.engine.claiming import claim
from tests.factories import ApiKeyFactory, JobFactory, SlotFactory, TenantFactory

pytestmark = pytest.mark.django_db

SCENES = 60
HOST = {"memory_mb": 4000, "scratch_mb": 4000}
# What a job that the claim takes may have been told: with others of its tenant before it that
# can't be claimed, it is not known to be the one.
OPEN = {Reason.NEXT, Reason.SLOTS_BUSY}


@dataclass
class Scene:
    dice: random.Random

    def set_up(self) -> None:
        dice = self.dice
        keys = [self._key(self._tenant()) for _ in range(3)]
        for number in range(1, 1 + dice.choice([1, 2, 3, 4])):
            allowed = {"allowed": dice.random() < 0.9}
            SlotFactory.create(name=f"slot-{number}", host="host", sandbox=allowed, **HOST)
        for slot in Slot.objects.all():
            if dice.random() < 0.4:
                self._job(dice.choice(keys), running=True, slot=slot.name, host="host")
        for _ in range(dice.randrange(1, 8)):
            due = timezone.now() + timedelta(hours=1 if dice.random() < 0.15 else -1)
            self._job(dice.choice(keys), run_at=due)
        if dice.random() < 0.1:
            PausedLane.objects.create(lane="cpu", reason="mended")

    def _tenant(self) -> Tenant:
        held = timezone.now() if self.dice.random() < 0.15 else None
        return TenantFactory.create(
            is_active=self.dice.random() < 0.85,
            quota_suspended_at=held,
            max_concurrent_jobs=self.dice.choice([None, None, 0, 1, 2]),
        )

    def _key(self, tenant: Tenant) -> ApiKey:
        cap = self.dice.choice([None, None, 1, 2])
        return ApiKeyFactory.create(tenant=tenant, max_concurrent_jobs=cap)

    def _job(self, key: ApiKey, **fields: object) -> None:
        sizes = {name: self.dice.choice([10, 500, 2500, 5000]) for name in HOST}
        api_key = key if self.dice.random() < 0.7 else None
        JobFactory.create(tenant=key.tenant, api_key=api_key, **sizes, **fields)


def claimed() -> set[str]:
    """The jobs that the idle slots would take, each if it came first."""
    busy = set(Job.objects.filter(status=Status.RUNNING).values_list("slot", flat=True))
    found = set()
    for slot in Slot.objects.all():
        if slot.name in busy or not slot.sandbox["allowed"]:
            continue
        with transaction.atomic():
            job = claim(slot.name, host=slot.host, memory_mb=4000, scratch_mb=4000)
            transaction.set_rollback(True)
        if job is not None:
            found.add(job.pk)
    return found


def test_it_works() -> None:
    seed, reasons = random.randrange(10**6), set[str]()  # noqa: S311 -- told where it fails
    for number in range(SCENES):
        with transaction.atomic():
            Scene(random.Random(f"{seed} {number}")).set_up()  # noqa: S311 -- dice
            told = {job: place.reason for job, place in places(Job.objects.all()).items()}
            taken = claimed()
            assert {told[job] for job in taken} <= OPEN, (seed, number, told, taken)
            assert bool(taken) or Reason.NEXT not in told.values(), (seed, number, told)
            reasons |= set(told.values())
            transaction.set_rollback(True)
    assert len(reasons) > 5, "the scenes are all alike"
