from __future__ import annotations

import sys
from importlib import reload
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from ffapi_site.lib.arguments import whole_from
from ffapi_site.lib.watched import GoOn, run_watched
from media_jobs.host import slot_state
from media_jobs.sandbox import SandboxUnavailable
from media_jobs.slot import number as slot_number
from media_jobs.slot.process import PATIENCE_S, START_S, Guard


class Command(BaseCommand):
    help = (
        "Run one slot: a place where one job at a time is worked on. The supervisor starts these."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lane", choices=settings.KNOWN_LANES, default="cpu")
        parser.add_argument(
            "--number",
            type=whole_from(1),
            help="tells the slots of a host apart; else the first free one",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        def serve(go_on: GoOn) -> int:
            reload(slot_state)  # a fork of a process that has others must not share it with them
            try:
                number = options["number"] or slot_number.take(options["lane"])
                return Guard(options["lane"], number, go_on).run()
            except SandboxUnavailable as error:
                self.stderr.write(f"no job may run here: {error}")
                return 1

        sys.exit(run_watched(serve, patience_s=PATIENCE_S, start_s=START_S))
