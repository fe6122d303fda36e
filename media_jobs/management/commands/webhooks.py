from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ffapi_site.lib.watched import run_until_stopped
from media_jobs.events.webhooks import program


class Command(BaseCommand):
    help = "Send webhooks until stopped. The supervisor starts this."

    def handle(self, *_: Any, **__: Any) -> None:
        run_until_stopped(program.run, patience_s=program.PATIENCE_S)
