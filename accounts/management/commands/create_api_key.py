from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError

from accounts import keys
from accounts.models import Tenant
from accounts.roles import EVERYTHING, ROLE_SCOPES, SCOPES, Role, allows


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
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        role, scopes = options["role"], options["scope"]
        for scope in scopes:
            if not allows(ROLE_SCOPES[role], scope):
                raise CommandError(f"--scope: the role {role} does not hold {scope}")
        try:
            tenant = _tenant(options["tenant"])
        except ProgrammingError as error:
            raise CommandError("the database has no tables yet: run manage.py migrate") from error
        key, text = keys.issue(tenant, name=options["name"], role=role, scopes=scopes)
        told = {
            "tenant": tenant.name,
            "id": key.pk,
            "key": text,
            "role": key.role,
            "scopes": sorted(key.scopes),
        }
        self.stdout.write(json.dumps(told) if options["json"] else _for_people(told))


def _tenant(name: str) -> Tenant:
    try:
        Tenant(name=name).clean_fields(exclude=["id"])
    except ValidationError as error:
        raise CommandError(f"--tenant: {' '.join(error.messages)}") from error
    return Tenant.objects.get_or_create(name=name)[0]


def _for_people(told: dict[str, Any]) -> str:
    return (
        f"tenant: {told['tenant']}\nkey {told['id']}, role {told['role']}, "
        f"scopes: {' '.join(told['scopes'])}\napi key: {told['key']}\n"
        "Keep it: it can't be shown again."
    )
