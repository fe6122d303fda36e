from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from media_jobs.guard import Guard
from media_jobs.worker.sandbox import SandboxUnavailable


class Command(BaseCommand):
    help = (
        "Run one slot: a place where one job at a time is worked on. The supervisor starts these."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lane", choices=settings.KNOWN_LANES, default="cpu")
        parser.add_argument("--number", type=int, default=1, help="tells the slots of a host apart")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            sys.exit(Guard(options["lane"], options["number"]).run())
        except SandboxUnavailable as error:
            raise CommandError(f"no job may run here: {error}") from error
