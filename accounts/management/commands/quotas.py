from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser

from accounts.models import Plan, Tenant
from accounts.quotas import limits, recount, suspension
from accounts.quotas.catalogue import LARGEST, QUOTAS
from ffapi_site.lib.arguments import whole, whole_from
from ffapi_site.lib.problems import Problem


class Command(BaseCommand):
    help = "Count quotas anew, set limits and plans, and lift suspensions."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        counting = verbs.add_parser("recount", help="make the counters what the rows say")
        counting.add_argument("--check", action="store_true", help="only tell what differs")
        counting.add_argument("--tenant", help="this one only")
        plan = verbs.add_parser("plan", help="make or change a plan: NAME [LIMIT=NUMBER]...")
        plan.add_argument("name")
        plan.add_argument("limit", nargs="*", help=f"one of {', '.join(QUOTAS)}, = and a number")
        plan.add_argument("--suspend-after", type=whole_from(1), metavar="REFUSALS")
        assign = verbs.add_parser("assign", help="give a tenant a plan, or none")
        assign.add_argument("--tenant", required=True)
        assign.add_argument("plan", nargs="?")
        own = verbs.add_parser("limit", help="put a tenant's own limits in place of its plan's")
        own.add_argument("--tenant", required=True)
        own.add_argument("limit", nargs="*", help="NAME=NUMBER, or NAME=none for no limit at all")
        lift = verbs.add_parser("lift", help="end a tenant's suspension")
        lift.add_argument("--tenant", required=True)

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except Problem as problem:
            raise CommandError(problem.detail or problem.title) from problem

    def _recount(self, options: dict[str, Any]) -> None:
        tenants = [_tenant(options["tenant"])] if options["tenant"] else Tenant.objects.all()
        found = [
            difference
            for tenant in tenants
            for difference in recount.of_tenant(tenant.pk, mend=not options["check"])
        ]
        for difference in found:
            self.stdout.write(str(difference))
        if found and options["check"]:
            raise CommandError(f"{len(found)} counters are not what the rows say")
        self.stdout.write(f"{len(found)} mended" if found else "all counters are right")

    def _plan(self, options: dict[str, Any]) -> None:
        try:
            Plan(name=options["name"]).clean_fields(exclude=["limits"])
        except ValidationError as wrong:
            raise CommandError(f"NAME: {' '.join(wrong.messages)}") from wrong
        limits.put_plan(
            options["name"],
            _read(options["limit"]),
            suspend_after_violations=options["suspend_after"],
        )
        self.stdout.write(f"plan {options['name']} is set")

    def _assign(self, options: dict[str, Any]) -> None:
        limits.set_plan(_tenant(options["tenant"]), options["plan"])
        self.stdout.write(f"{options['tenant']} has the plan {options['plan'] or 'of nobody'}")

    def _limit(self, options: dict[str, Any]) -> None:
        limits.set_for_tenant(_tenant(options["tenant"]), _read(options["limit"]))
        self.stdout.write(f"{options['tenant']} is limited by itself")

    def _lift(self, options: dict[str, Any]) -> None:
        suspension.lift(_tenant(options["tenant"]))
        self.stdout.write(f"{options['tenant']} is not suspended any more")


def _tenant(name: str) -> Tenant:
    tenant = Tenant.objects.filter(name=name).first()
    if tenant is None:
        raise CommandError(f"--tenant: there is no tenant {name}")
    return tenant


def _read(given: list[str]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for each in given:
        name, _, number = each.partition("=")
        try:
            found[name] = None if number == "none" else whole(number, most=LARGEST)
        except ArgumentTypeError as wrong:
            told = f"{each[:80]}: write NAME=NUMBER or NAME=none; {wrong}"
            raise CommandError(told) from wrong
    return found
