from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from storage.retention import sweep


class Command(BaseCommand):
    help = "Remove files past their time and what broken uploads and jobs left behind"

    def handle(self, *_args: Any, **_options: Any) -> None:
        for what, number in asdict(sweep()).items():
            self.stdout.write(f"{what}: {number}")
