from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, ProgrammingError, transaction

from accounts.audit_events import AuditEvent
from accounts.models import User
from accounts.people import audit_tenant


class Command(BaseCommand):
    help = "Make a staff user: one who sees every tenant and may use the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", required=True)
        parser.add_argument("--password", required=True)
        parser.add_argument(
            "--email", default="", help="for a forgotten password, and single sign-on"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        username, password = options["username"], options["password"]
        rights = {"is_staff": True, "is_superuser": True}
        user = User(username=username, email=options["email"], **rights)
        user.set_password(password)
        self._require_good(user)
        self._warn_of_weak(password, user)
        try:
            with transaction.atomic():
                user.save()
                audit_tenant.record(AuditEvent.PERSON_CREATED, user, details=rights)
        except IntegrityError as error:
            taken = "--email" if "email" in str(error) else "--username"
            raise CommandError(f"{taken}: somebody has it already") from error
        except ProgrammingError as error:
            raise CommandError("the database has no tables yet: run manage.py migrate") from error
        self.stdout.write(f"staff user {username} made")

    def _require_good(self, user: User) -> None:
        try:
            user.clean_fields()
        except ValidationError as error:
            field, told = next(iter(error.message_dict.items()))
            raise CommandError(f"--{field}: {' '.join(told)}") from error

    def _warn_of_weak(self, password: str, user: User) -> None:
        """Warn only: like ``createsuperuser --no-input``, the one at the console decides."""
        try:
            validate_password(password, user)
        except ValidationError as error:
            self.stderr.write(self.style.WARNING(f"weak password: {' '.join(error.messages)}"))
