from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from accounts.models import Tenant
from accounts.people import invitations
from accounts.roles import PEOPLES_ROLES, Role
from ffapi_site.lib.problems import Invalid


class Command(BaseCommand):
    help = "Invite somebody to a tenant. The link is printed, and mailed where mail is set up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's name")
        parser.add_argument("--email", required=True)
        roles = [role.value for role in PEOPLES_ROLES]
        parser.add_argument("--role", choices=roles, default=Role.ADMIN.value)

    def handle(self, *_: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(name=options["tenant"], is_active=True).first()
        if tenant is None:
            raise CommandError("--tenant: there is no active tenant of this name")
        email, role = options["email"], options["role"]
        try:
            validate_email(email)
            link = invitations.invite(tenant, email, role, by=None, own_role=Role.ADMIN)
        except ValidationError as error:
            raise CommandError(f"--email: {' '.join(error.messages)}") from error
        except Invalid as error:
            raise CommandError(f"--email: {error.detail}") from error
        self.stdout.write(link)
