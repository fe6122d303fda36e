from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError
from django.utils import timezone

from accounts import keys
from accounts.keys.changes import LONGEST_LIFE
from accounts.keys.request_schemas import NewKey
from accounts.models import Tenant
from accounts.roles import EVERYTHING, ROLE_SCOPES, SCOPES, Role, allows
from ffapi_site.lib import bodies
from ffapi_site.lib.arguments import whole_from
from ffapi_site.lib.problems import Invalid

# Who is at the console may do everything.
_CONSOLE = keys.Authority(frozenset((EVERYTHING,)))
_OPTIONS = {
    "expires_at": "--days",
    "allowed_ips": "--allowed-ip",
    "rate_limit_per_minute": "--rate-limit",
}


class Command(BaseCommand):
    help = "Make an API key, and its tenant where it is missing. The key is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's name")
        parser.add_argument("--role", choices=Role.values, default=Role.ADMIN.value)
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            choices=[*SCOPES, EVERYTHING],
            metavar="SCOPE",
            help=f"narrow the role to this scope; may be repeated. One of {', '.join(SCOPES)}, *",
        )
        parser.add_argument("--name", default="made by create_api_key")
        parser.add_argument(
            "--days",
            type=whole_from(0, LONGEST_LIFE.days),
            help="for how long it is good; else it has no end",
        )
        parser.add_argument(
            "--allowed-ip",
            action="append",
            default=[],
            metavar="CIDR",
            help="an address or network that it may be used from; may be repeated",
        )
        parser.add_argument("--rate-limit", type=whole_from(0), help="its requests a minute")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        role, scopes = options["role"], options["scope"]
        for scope in scopes:
            if not allows(ROLE_SCOPES[role], scope):
                raise CommandError(f"--scope: the role {role} does not hold {scope}")
        wanted = _wanted(options)
        try:
            tenant = _tenant(options["tenant"])
        except ProgrammingError as error:
            raise CommandError("the database has no tables yet: run manage.py migrate") from error
        key, text = keys.create(tenant, wanted, _CONSOLE)
        told = {
            "tenant": tenant.name,
            "id": key.pk,
            "key": text,
            "role": key.role,
            "scopes": sorted(key.scopes),
        }
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(
            f"tenant: {tenant.name}\nkey {key.pk}, role {key.role}, "
            f"scopes: {' '.join(told['scopes'])}\napi key: {text}\n"
            "Keep it: it can't be shown again."
        )


def _wanted(options: dict[str, Any]) -> keys.Wanted:
    days = options["days"]
    end = {"expires_at": (timezone.now() + timedelta(days=days)).isoformat()} if days else {}
    asked = {
        "name": options["name"],
        "role": options["role"],
        "scopes": options["scope"] or None,
        "allowed_ips": options["allowed_ip"],
        "rate_limit_per_minute": options["rate_limit"],
    }
    try:
        return bodies.read(NewKey, asked | end).wanted()
    except Invalid as refused:
        wrong = refused.errors[0]
        option = _OPTIONS.get(wrong.pointer.split("/")[1], "--name")
        raise CommandError(f"{option}: {wrong.detail}") from refused


def _tenant(name: str) -> Tenant:
    """Give the tenant of this name; only the name of one that is yet to be made is looked at."""
    if found := Tenant.objects.filter(name=name).first():
        return found
    try:
        Tenant(name=name).clean_fields(exclude=["id"])
    except ValidationError as error:
        raise CommandError(f"--tenant: {' '.join(error.messages)}") from error
    return Tenant.objects.get_or_create(name=name)[0]
