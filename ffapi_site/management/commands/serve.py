from __future__ import annotations

import os
import shlex
import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from accounts.models import ApiKey, User
from ffapi_site.lib.database_away import DATABASE_TROUBLE
from ffapi_site.serving import site
from ffapi_site.serving.readiness import NotReady


class Command(BaseCommand):
    help = "Serve API, dashboard and workers until Ctrl-C or SIGTERM."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            with site.running(self.stderr.write) as supervisor:
                self.stdout.write(f"FFAPI serves {settings.PUBLIC_BASE_URL}")
                self.stdout.write(f"its logs are in {site.log_folder()}; Ctrl-C stops it")
                self._tell_how_to_get_in()
                self.stdout.flush()
                why = site.ended(supervisor)
                self.stderr.write(f"{why}: all else is stopped")
        except KeyboardInterrupt:
            self.stdout.write("stopped")
        except (site.CannotServe, NotReady) as error:
            raise CommandError(f"{error}\nlogs: {site.log_folder()}") from error
        else:
            raise CommandError(why)

    def _tell_how_to_get_in(self) -> None:
        """Where nobody has an account yet: there is no other way to the first one."""
        try:
            if User.objects.exists() or ApiKey.objects.exists():
                return
        except DATABASE_TROUBLE:
            return  # away at this moment: the site goes on and brings it back
        place = shlex.quote(os.environ.get("FFAPI_DATA_DIR", ""))
        manage = f"FFAPI_DATA_DIR={place} " if place != "''" else ""
        manage += f"{sys.executable} manage.py"
        self.stdout.write("Nobody has an account yet. For the dashboard, and for the API:")
        self.stdout.write(f"  {manage} create_staff --username admin --password ...")
        self.stdout.write(f"  {manage} create_api_key --tenant main")
