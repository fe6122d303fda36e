"""Hundreds of operations in an order that a seed chose; then every counter is what rows say."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import ApiKey, QuotaCounter, Tenant, UsageEntry
from accounts.quotas import limits, recount, reservations, windows
from accounts.quotas.errors import QuotaExceeded
from ffapi_site.lib import ids
from ffapi_site.lib.problems import Conflict
from media_jobs.engine import jobs, states
from media_jobs.models import Job, Status
from storage import retention, store
from storage.models import File
from tests.engine.claiming import claim
from tests.factories import ApiKeyFactory, TenantFactory

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(1200)]

OPERATIONS = int(os.environ.get("QUOTA_OPERATIONS", "800"))
# As many as by night: of fewer, dice leave something out now and then.
_ENOUGH_FOR_ALL = 2000
LIMITS = {
    "max_jobs_per_hour": OPERATIONS * 7 // 100,
    "max_jobs_per_day": OPERATIONS * 6 // 100,
    "max_cpu_seconds_per_month": OPERATIONS * 2,
    "max_storage_mb": 1,
}
# Of the megabyte that there is: a few fill it, so that some are refused in a short run, too.
_LARGEST = 400_000
_ASKED = jobs.Submission("transcode", {"input": "https://example.org/a.mp4"})


class Traffic:
    """Two tenants, three keys, and whoever comes without a key."""

    def __init__(self, dice: random.Random, folder: Path) -> None:
        self.dice, self.folder = dice, folder
        self.done: Counter[str] = Counter()
        self.keys: list[ApiKey | None] = [None]
        self.holds: list[tuple[Tenant, str | None, str, int]] = []
        self.tenants = TenantFactory.create_batch(2)
        for tenant in self.tenants:
            limits.set_for_tenant(tenant, LIMITS)
        for tenant in (*self.tenants, self.tenants[0]):
            key = ApiKeyFactory.create(tenant=tenant)
            limits.set_for_key(key, {"max_jobs_per_day": OPERATIONS // 50, "max_storage_mb": 1})
            self.keys.append(key)

    def step(self) -> None:
        verbs: list[Callable[[], str | None]] = [
            *[self.submit] * 5,
            *[self.end] * 4,
            *[self.upload] * 4,
            *[self.delete_file] * 3,
            *(self.cancel, self.give_back, self.delete_job, self.expire),
            *(self.hold, self.abort, self.change_limits),
        ]
        verb = self.dice.choice(verbs)
        try:
            came_of_it = verb() or "done"
        except QuotaExceeded:
            came_of_it = "refused"
        except Conflict:
            came_of_it = "conflict"
        self.done[f"{verb.__name__} {came_of_it}"] += 1

    def whose(self) -> tuple[Tenant, ApiKey | None]:
        key = self.dice.choice(self.keys)
        return (key.tenant if key else self.dice.choice(self.tenants)), key

    def submit(self) -> None:
        tenant, key = self.whose()
        jobs.submit(tenant, _ASKED, api_key=key)

    def end(self) -> str | None:
        job = claim()
        if job is None:
            return "nothing"
        status = self.dice.choice([Status.COMPLETED, Status.FAILED, Status.CANCELED])
        usage = {"cpu_seconds": self.dice.uniform(0, 60), "wall_seconds": 1.0}
        measured: dict[str, Any] = {"usage": usage} if self.dice.random() < 0.8 else {}
        states.end(job, status, "a test", **measured)
        return None

    def give_back(self) -> str | None:
        job = claim()
        if job is None:
            return "nothing"
        states.give_back(job, "a test")
        return None

    def cancel(self) -> str | None:
        job = self.some(Job.objects.filter(status=Status.QUEUED))
        if job is None:
            return "nothing"
        jobs.cancel(job)
        return None

    def delete_job(self) -> str | None:
        job = self.some(Job.objects.exclude(finished_at=None))
        if job is None:
            return "nothing"
        jobs.delete(job)
        return None

    def upload(self) -> None:
        tenant, key = self.whose()
        self.store(tenant, key.pk if key else None, self.dice.randrange(1, _LARGEST))

    def store(self, tenant: Tenant, key: str | None, size_bytes: int, hold: str = "") -> None:
        path = self.folder / f"{self.dice.getrandbits(60)}"
        path.write_bytes(b"x" * size_bytes)
        file = store.add(tenant.pk, path, name="a.txt", origin="upload", api_key_id=key, hold=hold)
        store.publish(file)

    def hold(self) -> None:
        tenant, key = self.whose()
        key_id, size_bytes = key.pk if key else None, self.dice.randrange(1, _LARGEST)
        hold = reservations.hold_storage(tenant.pk, key_id, size_bytes)
        self.holds.append((tenant, key_id, hold, size_bytes))

    def abort(self) -> str | None:
        """The end of an upload that had room kept for it, well or not."""
        if not self.holds:
            return "nothing"
        tenant, key_id, hold, size_bytes = self.holds.pop()
        try:
            if self.dice.random() < 0.5:
                self.store(tenant, key_id, self.dice.randrange(1, size_bytes + 1), hold)
        finally:
            reservations.drop_hold(hold)
        return None

    def delete_file(self) -> str | None:
        file = self.some(File.objects.published())
        if file is None:
            return "nothing"
        store.remove(file)
        return None

    def expire(self) -> str | None:
        file = self.some(File.objects.published())
        if file is None:
            return "nothing"
        File.objects.filter(pk=file.pk).update(expires_at=file.created_at)
        retention.sweep()
        return None

    def change_limits(self) -> None:
        """A limit comes and goes, and begins with what is there."""
        tenant = self.dice.choice(self.tenants)
        kept = {name: most for name, most in LIMITS.items() if self.dice.random() < 0.9}
        limits.set_for_tenant(tenant, kept)

    def some(self, rows: Any) -> Any:
        ids = list(rows.values_list("pk", flat=True)[:20])
        return rows.get(pk=self.dice.choice(ids)) if ids else None


def test_mixed_operations(tmp_path: Path) -> None:
    seed = int(os.environ.get("QUOTA_SEED", time.time_ns()))
    traffic = Traffic(random.Random(seed), tmp_path)  # noqa: S311 -- dice, not secrets
    for number in range(OPERATIONS):
        traffic.step()
        if number % 500 == 499:
            assert_right(traffic, seed)
    assert_right(traffic, seed)
    if OPERATIONS >= _ENOUGH_FOR_ALL:
        assert_all_happened(traffic)
    shutil.rmtree(tmp_path / "media", ignore_errors=True)


def assert_all_happened(traffic: Traffic) -> None:
    for verb in ("submit", "end", "cancel", "upload", "delete_file", "hold", "abort", "expire"):
        assert traffic.done[f"{verb} done"] > OPERATIONS / 200, (verb, traffic.done)
    for verb in ("submit", "upload", "hold"):
        assert traffic.done[f"{verb} refused"] > 0, traffic.done


def assert_right(traffic: Traffic, seed: int) -> None:
    for tenant in traffic.tenants:
        found = recount.of_tenant(tenant.pk, mend=False)
        assert [str(each) for each in found] == [], (seed, traffic.done)
    over = [row for row in QuotaCounter.objects.all() if row.used < 0 or row.reserved < 0]
    assert not over
    ended = Job.objects.exclude(finished_at=None).values("pk")
    assert not Job.objects.filter(pk__in=ended).exclude(pk__in=UsageEntry.objects.values("work_id"))


def test_a_job_that_is_submitted_as_the_hour_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its transaction began in one hour, its row has a time of the next: that one counts."""
    tenant = TenantFactory.create()
    limits.set_for_tenant(tenant, {"max_jobs_per_hour": 5})
    this_hour = windows.current()["hour"]
    next_hour = this_hour + timedelta(hours=1)
    monkeypatch.setattr(ids, "made_at", lambda _: next_hour)
    jobs.submit(tenant, _ASKED)
    assert hours_of(tenant) == {next_hour: (0, 1)}
    job = claim()
    assert job is not None
    states.end(job, Status.COMPLETED, "a test", usage={"cpu_seconds": 1.0, "wall_seconds": 1.0})
    assert hours_of(tenant) == {next_hour: (1, 0)}
    assert recount.of_tenant(tenant.pk, mend=False) == []


def hours_of(tenant: Tenant) -> dict[datetime, tuple[int, int]]:
    """What is counted in each hour: used and reserved."""
    rows = QuotaCounter.objects.filter(subject=tenant.pk)
    return {row.window_start: (row.used, row.reserved) for row in rows}
