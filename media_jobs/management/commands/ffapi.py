from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from media_jobs.operations.core import REGISTRY, InvalidParams, InvalidParamsGroup
from media_jobs.surfaces import cli, docs, goldens
from media_jobs.worker.local_run import LocalRun, Stopped
from storage import names

GENERATED = {"docs/operations": docs.pages, "tests/goldens": goldens.pages}

_NAME_BYTES = 255  # what most file systems take


class Command(BaseCommand):
    help = "Run an operation on local files, with no database; make what follows from operations."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        run = verbs.add_parser("run", help="run an operation on local files")
        of_operation = run.add_subparsers(dest="operation", required=True)
        for name, operation in sorted(REGISTRY.items()):
            own = of_operation.add_parser(name, aliases=operation.aliases, help=operation.title())
            own.add_argument("files", nargs="+", metavar="FILE")
            own.add_argument("--to", default=".", metavar="FOLDER", help="where results go [.]")
            cli.add_options(own, operation)
        verbs.add_parser("operations", help="list the operations")
        made = verbs.add_parser("docs", help=f"make {' and '.join(GENERATED)} from the operations")
        made.add_argument("--check", action="store_true", help="only say what is stale")

    def handle(self, *_args: Any, **options: Any) -> None:
        verb = options["verb"]
        if verb == "operations":
            for name, operation in sorted(REGISTRY.items()):
                self.stdout.write(f"{name:20} {operation.title()}")
        elif verb == "run":
            self._run(options)
        else:
            self._generate(only_check=options["check"])

    def _run(self, options: dict[str, Any]) -> None:
        try:
            with TemporaryDirectory(prefix="ffapi.") as folder:
                run = LocalRun(Path(folder), say=self.stdout.write)
                result = run(options["operation"], options["files"], options)
                self._deliver(run, Path(options["to"]))
        except InvalidParamsGroup as group:
            raise CommandError("\n".join(str(error) for error in group.errors)) from group
        except (InvalidParams, Stopped) as error:
            raise CommandError(str(error)) from error
        if result is not None:
            self.stdout.write(json.dumps(result.data, indent=2, ensure_ascii=False))
            for warning in result.warnings:
                self.stderr.write(f"warning: {warning}")

    def _deliver(self, run: LocalRun, to: Path) -> None:
        targets: dict[Path, str] = {}
        for output in run.outputs:
            name = PurePosixPath(output.name)
            target = to / names.with_ending(name.stem, name.suffix, most_bytes=_NAME_BYTES)
            if target.exists() or target in targets:
                raise CommandError(f"{target} is there already")
            targets[target] = output.path
        to.mkdir(parents=True, exist_ok=True)
        for target, path in targets.items():
            shutil.copyfile(run.folder / path, target)
            self.stdout.write(str(target))

    def _generate(self, *, only_check: bool) -> None:
        wanted = {
            Path(settings.BASE_DIR, folder, name): text
            for folder, pages in GENERATED.items()
            for name, text in pages().items()
        }
        there = {
            path: path.read_text()
            for folder in GENERATED
            for path in Path(settings.BASE_DIR, folder).glob("*.*")
        }
        paths = wanted.keys() | there.keys()
        stale = sorted(path for path in paths if wanted.get(path) != there.get(path))
        if only_check and stale:
            listed = ", ".join(str(path.relative_to(settings.BASE_DIR)) for path in stale)
            raise CommandError(f"stale: {listed}; run make docs")
        for path in stale:
            if path in wanted:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(wanted[path])
            else:
                path.unlink()
        self.stdout.write(f"{len(stale)} of {len(wanted)} pages made anew")
