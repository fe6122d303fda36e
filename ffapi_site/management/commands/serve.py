from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from ffapi_site.serving import site
from ffapi_site.serving.readiness import NotReady


class Command(BaseCommand):
    help = "Serve API, dashboard and workers until Ctrl-C or SIGTERM."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            with site.running() as supervisor:
                self.stdout.write(f"FFAPI serves {settings.PUBLIC_BASE_URL}")
                self.stdout.write(f"its logs are in {site.log_folder()}; Ctrl-C stops it")
                self.stdout.flush()
                supervisor.wait()
        except KeyboardInterrupt:
            self.stdout.write("stopped")
        except (site.CannotServe, NotReady) as error:
            raise CommandError(f"{error}\nlogs: {site.log_folder()}") from error
        else:
            raise CommandError("the supervisor ended; its log says why")
