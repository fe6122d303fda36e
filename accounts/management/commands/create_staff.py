from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, ProgrammingError, transaction

from accounts.models import User


class Command(BaseCommand):
    help = "Make a staff user: one who sees every tenant and may use the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", required=True)
        parser.add_argument("--password", required=True)

    def handle(self, *_: Any, **options: Any) -> None:
        username, password = options["username"], options["password"]
        user = User(username=username, is_staff=True, is_superuser=True)
        user.set_password(password)
        self._require_good(user)
        self._warn_of_weak(password, user)
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError as error:
            raise CommandError(f"--username: there is a user {username!r} already") from error
        except ProgrammingError as error:
            raise CommandError("the database has no tables yet: run manage.py migrate") from error
        self.stdout.write(f"staff user {username} made")

    def _require_good(self, user: User) -> None:
        try:
            user.clean_fields()
        except ValidationError as error:
            raise CommandError(f"--username: {' '.join(error.messages)}") from error

    def _warn_of_weak(self, password: str, user: User) -> None:
        """Warn only: like ``createsuperuser --no-input``, the one at the console decides."""
        try:
            validate_password(password, user)
        except ValidationError as error:
            self.stderr.write(self.style.WARNING(f"weak password: {' '.join(error.messages)}"))
