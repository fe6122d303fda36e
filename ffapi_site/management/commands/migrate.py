from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from ffapi_site.database import owner, roles, triggers

# A migration that can't get its lock gives up instead of stopping all who queue up behind it;
# running it again is safe. What it does once it has the lock may take its time.
_PATIENCE = "SET lock_timeout = '5s'; SET statement_timeout = 0"
_AS_BEFORE = "RESET lock_timeout; RESET statement_timeout"


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> str | None:
        # The checks before it ask the database too, which has no other role at first.
        with owner.wrapper(options["database"]).as_owner():
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> str | None:
        connection = owner.wrapper(options["database"])
        role = connection.usual_role
        with connection.cursor() as cursor:
            cursor.execute(_PATIENCE)
        told = super().handle(*args, **options)
        triggers.make_firm(connection)
        if connection.settings_dict["USER"] != role["USER"]:
            roles.prepare(connection, role["USER"], role["PASSWORD"])
            roles.grant(connection, role["USER"])
            roles.prepare_sealer(connection)
            roles.grant_sealer(connection)
        with connection.cursor() as cursor:
            cursor.execute(_AS_BEFORE)
        return told
