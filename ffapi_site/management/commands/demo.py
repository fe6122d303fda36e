from __future__ import annotations

import sys
from typing import Any

import httpx
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from ffapi_site.demo.account import Account, demo_account
from ffapi_site.demo.advice import advice
from ffapi_site.demo.client import DemoClient, Refused
from ffapi_site.demo.clip import NoClip, demo_clip
from ffapi_site.demo.progress import ProgressBar
from ffapi_site.demo.receipt import receipt
from ffapi_site.serving import site
from ffapi_site.serving.address import local_client
from ffapi_site.serving.readiness import NotReady


class Command(BaseCommand):
    help = "Serve, transcode a real clip over REST, print its receipt, and keep serving."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop after the receipt")

    def handle(self, *_: Any, once: bool, **__: Any) -> None:
        if better := advice():
            self._say(better)
        self._say("Starting the database, the web server and the workers")
        try:
            with site.running(self.stderr.write) as supervisor:
                account = demo_account()
                self._transcode(account)
                self._tell(account)
                if once:
                    self._say("stopping; `make serve` brings it back, login and key stay good")
                    return
                why = site.ended(supervisor)
                self.stderr.write(f"{why}: all else is stopped")
        except KeyboardInterrupt:
            if once:
                raise CommandError("stopped before the receipt") from None
            self._say("stopped")
        except (site.CannotServe, NotReady, NoClip, Refused, httpx.HTTPError) as error:
            raise CommandError(f"{error}\nlogs: {site.log_folder()}") from error
        else:
            raise CommandError(why)

    def _transcode(self, account: Account) -> None:
        clip = demo_clip(self._say)
        key = f"Bearer {account.api_key}"
        with local_client(Authorization=key) as http:
            client = DemoClient(http)
            self._say(f"Uploading {clip.name} to POST {settings.PUBLIC_BASE_URL}/v1/files")
            source = client.upload(clip)
            self._say(f"Transcoding it with POST {settings.PUBLIC_BASE_URL}/v1/jobs")
            job = self._finished(client, client.transcode(source["id"]))
            output = client.file(job["outputs"][0]["file"])
            client.require_downloadable(output)
        self._say(receipt(job, source, output))

    def _finished(self, client: DemoClient, job: dict[str, Any]) -> dict[str, Any]:
        bar = ProgressBar(sys.stdout)
        for job in client.follow(job):  # noqa: B020, PLR1704 -- the same job, as it goes on
            bar.show(job)
        bar.close()
        if job["status"] != "completed":
            raise Refused(f"the job is {job['status']}: {job['error']}")
        return job

    def _tell(self, account: Account) -> None:
        self._say(f"dashboard: {settings.PUBLIC_BASE_URL}/")
        self._say(f"login: {account.username}  password: {account.password}")
        self._say(f"api key: {account.api_key}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
