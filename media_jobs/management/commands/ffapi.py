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

GENERATED = {"docs": (docs.pages, "docs/operations"), "goldens": (goldens.pages, "tests/goldens")}

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
        for verb, (_, where) in GENERATED.items():
            made = verbs.add_parser(verb, help=f"make {where} anew from the operations")
            made.add_argument("--check", action="store_true", help="only say whether it is stale")

    def handle(self, *_args: Any, **options: Any) -> None:
        verb = options["verb"]
        if verb == "operations":
            for name, operation in sorted(REGISTRY.items()):
                self.stdout.write(f"{name:20} {operation.title()}")
        elif verb == "run":
            self._run(options)
        else:
            self._generate(verb, only_check=options["check"])

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

    def _generate(self, verb: str, *, only_check: bool) -> None:
        pages, where = GENERATED[verb]
        folder = Path(settings.BASE_DIR) / where
        wanted = pages()
        there = {path.name: path.read_text() for path in folder.glob("*.*")}
        stale = sorted(
            name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)
        )
        if only_check and stale:
            raise CommandError(f"stale in {where}: {', '.join(stale)}; run manage.py ffapi {verb}")
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            if name in wanted:
                (folder / name).write_text(wanted[name])
            else:
                (folder / name).unlink()
        self.stdout.write(f"{where}: {len(stale)} of {len(wanted)} made anew")
