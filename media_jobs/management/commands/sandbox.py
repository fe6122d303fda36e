from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from media_jobs.host import sandbox_check


class Command(BaseCommand):
    help = "Look at the sandbox around FFmpeg: `selftest` tries to get out of the sandbox."
    # It is asked on machines where nothing else works yet.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        selftest = verbs.add_parser(
            "selftest", help="layers and escapes; status 1 where no job would be taken"
        )
        selftest.add_argument("--json", action="store_true")

    def handle(self, *_: Any, **options: Any) -> None:
        sandbox_check.enter_group()
        try:
            checked = sandbox_check.check()
        finally:
            sandbox_check.leave_group()
        if options["json"]:
            probes = {probe.name: probe.blocked for probe in checked.probes}
            self.stdout.write(json.dumps(checked.to_json() | {"probes": probes}, indent=2))
        else:
            self._tell(checked)
        if not checked.report.allowed:
            sys.exit(1)

    def _tell(self, checked: sandbox_check.Checked) -> None:
        for name, layer in checked.report.layers.items():
            state = "on" if layer.active else "off"
            about = layer.version or "" if layer.active else layer.reason or ""
            self.stdout.write(f"{name:<12} {state:<4} {about}".rstrip())
        self.stdout.write("")
        for probe in checked.probes:
            self.stdout.write(f"{probe.name:<22} {'blocked' if probe.blocked else 'GOT OUT'}")
        blocked = sum(probe.blocked for probe in checked.probes)
        taken = "are taken" if checked.report.allowed else "are not taken"
        if checked.report.allowed and checked.report.level == "none":
            taken += " only because ALLOW_DEGRADED_SANDBOX is 1"
        self.stdout.write(f"\n{blocked} of {len(checked.probes)} escapes blocked")
        self.stdout.write(f"level: {checked.report.level}; jobs {taken}")
        if checked.reason:
            self.stdout.write(f"reason: {checked.reason}")
