from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from ffapi_site.lib.arguments import seconds
from ffapi_site.lib.problems import Problem
from media_jobs.engine import jobs, lanes
from media_jobs.models import Job, Slot, Status

_LOOKS_EVERY_S = 0.5

Facts = dict[str, Any]


class Command(BaseCommand):
    help = "See what waits and what runs; pause, resume and drain lanes; requeue dead letters."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        status = verbs.add_parser("status", help="lanes, slots with what they do, dead letters")
        dead = verbs.add_parser("dead", help="jobs that killed their workers")
        for verb in (status, dead):
            verb.add_argument("--json", action="store_true")
        pause = verbs.add_parser("pause", help="take no further jobs; what runs goes on")
        resume = verbs.add_parser("resume", help="take jobs again")
        drain = verbs.add_parser("drain", help="pause, and wait until nothing runs")
        for verb in (pause, resume, drain):
            verb.add_argument("--lane", help="all of them, if not given")
        for verb in (pause, drain):
            verb.add_argument("--reason", default="", help="those who wait are told")
        drain.add_argument("--timeout", type=seconds, metavar="SECONDS", help="how long to wait")
        requeue = verbs.add_parser("requeue", help="let dead letters run again, as new jobs")
        requeue.add_argument("jobs", nargs="+", metavar="JOB")

    def handle(self, *_: Any, **options: Any) -> None:
        verbs = {
            "status": self._status,
            "dead": self._dead,
            "pause": self._pause,
            "resume": self._resume,
            "drain": self._drain,
            "requeue": self._requeue,
        }
        verbs[options["verb"]](options)

    def _status(self, options: Facts) -> None:
        facts = _facts()
        if options["json"]:
            self._tell_json(facts)
            return
        self._tell_table(
            facts["lanes"], "name", "slots", "running", "queued", "oldest_wait_s", "paused"
        )
        self.stdout.write("")
        self._tell_table(facts["slots"], "name", "lane", "host", "heartbeat_s", "job")
        self.stdout.write(f"\ndead letters: {facts['dead']}")

    def _dead(self, options: Facts) -> None:
        rows = [
            {
                "id": job.id,
                "tenant": job.tenant.name,
                "operation": job.operation,
                "attempts": job.attempt,
                "quarantined_at": job.quarantined_at,
            }
            for job in Job.objects.quarantined().select_related("tenant")
        ]
        if options["json"]:
            self._tell_json(rows)
        else:
            self._tell_table(rows, "id", "tenant", "operation", "attempts", "quarantined_at")

    def _pause(self, options: Facts) -> None:
        for lane in _chosen(options):
            lanes.pause(lane, options["reason"])
            self._tell_paused(lane)

    def _tell_paused(self, lane: str) -> None:
        self.stdout.write(f"{lane}: paused; {lanes.running(lane)} running")

    def _resume(self, options: Facts) -> None:
        for lane in _chosen(options):
            was_paused = lanes.resume(lane)
            self.stdout.write(f"{lane}: {'resumed' if was_paused else 'was not paused'}")

    def _drain(self, options: Facts) -> None:
        chosen, told = _chosen(options), -1
        for lane in chosen:
            lanes.drain(lane, options["reason"])
            self._tell_paused(lane)
        deadline = time.monotonic() + (options["timeout"] or float("inf"))
        while running := sum(map(lanes.running, chosen)):
            if running != told:
                self.stdout.write(f"waiting for {running}")
                told = running
            if time.monotonic() > deadline:
                raise CommandError(f"{running} still running; the lanes stay paused")
            time.sleep(_LOOKS_EVERY_S)
        self.stdout.write("drained: nothing runs; `queue resume` takes jobs again")

    def _requeue(self, options: Facts) -> None:
        failed = 0
        for job_id in options["jobs"]:
            job = Job.objects.select_related("tenant").filter(pk=job_id).first()
            try:
                again = jobs.requeue(job) if job else None
                self.stdout.write(f"{job_id}: {f'requeued as {again.id}' if again else 'unknown'}")
            except Problem as problem:
                again = None
                self.stdout.write(f"{job_id}: {problem.detail}")
            failed += again is None
        if failed:
            raise CommandError(f"{failed} of {len(options['jobs'])} could not be requeued")

    def _tell_json(self, facts: object) -> None:
        self.stdout.write(json.dumps(facts, cls=DjangoJSONEncoder, indent=2))

    def _tell_table(self, rows: list[Facts], *columns: str) -> None:
        cells: list[Sequence[str]] = [columns]
        for row in rows:
            values = (row[column] for column in columns)
            cells.append(["-" if each is None else str(each) or "(no reason)" for each in values])
        widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
        for line in cells:
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(padded).rstrip())


def _chosen(options: Facts) -> list[str]:
    lane, known = options["lane"], lanes.known()
    if lane is not None and lane not in known:
        raise CommandError(f"--lane: there is no {lane}; there are: {', '.join(known)}")
    return [lane] if lane else known


def _facts() -> Facts:
    seen, now = lanes.overview(), timezone.now()
    waits_s = {
        lane.name: int((now - lane.oldest_due).total_seconds()) for lane in seen if lane.oldest_due
    }
    running = dict(Job.objects.filter(status=Status.RUNNING).values_list("slot", "pk"))
    return {
        "lanes": [asdict(lane) | {"oldest_wait_s": waits_s.get(lane.name)} for lane in seen],
        "slots": [
            {
                "name": slot.name,
                "lane": slot.lane,
                "host": slot.host,
                "heartbeat_s": round((now - slot.heartbeat_at).total_seconds(), 1),
                "job": running.get(slot.name),
            }
            for slot in Slot.objects.all()
        ],
        "dead": Job.objects.quarantined().count(),
    }
