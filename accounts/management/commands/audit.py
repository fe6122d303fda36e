from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from accounts import audit
from accounts.audit_chain import (
    bundle,
    erasure,
    forwarding,
    inspection,
    records,
    retention,
    rollback,
    sealer,
    signing_key,
    state,
)
from accounts.audit_chain.checkpoint_file import CheckpointFile
from accounts.audit_chain.selection import Selection
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.signing_key import KeyTrouble
from accounts.audit_events import AuditEvent
from accounts.models import Tenant, User
from ffapi_site.database import sealing
from ffapi_site.database.sealing import SealerConnection
from ffapi_site.lib.problems import Problem
from ffapi_site.lib.times import day_of, midnight
from ffapi_site.lib.watched import run_until_stopped

# A step says that it goes on with each chain and each cut, and each of its statements has half of
# this; one that is silent for longer stands still.
_PATIENCE_S = 600.0
_OF_INSTALLATION = "the installation's own chain where it is not given"


class Command(BaseCommand):
    help = "Seal, verify, export, cut and erase the audit log, and see to its signing key."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("seal", help="seal until stopped; the supervisor starts this")
        verbs.add_parser("verify", help="check every chain in the database, and the file beside it")
        export = verbs.add_parser("bundle", help="write a bundle for an auditor")
        export.add_argument("file", type=Path)
        export.add_argument("--tenant", help=_OF_INSTALLATION)
        cut = verbs.add_parser("cut", help="remove old records, with a signed statement for them")
        cut.add_argument("--before", required=True, metavar="YYYY-MM-DD")
        cut.add_argument("--tenant", help="this one only")
        erase = verbs.add_parser("erase", help="erase personal data; the chain holds on")
        whose = erase.add_mutually_exclusive_group(required=True)
        whose.add_argument("--person", metavar="USERNAME")
        whose.add_argument("--address", metavar="IP")
        key = verbs.add_parser("key", help="list the signing keys, or put a new one in place")
        key.add_argument("--rotate", action="store_true")
        key.add_argument("--lost", action="store_true", help="with --rotate: there is no old key")
        accept = verbs.add_parser("accept-rollback", help="go on after an older database came back")
        accept.add_argument("--tenant", help=_OF_INSTALLATION)
        accept.add_argument("--reason", required=True)

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb'].replace('-', '_')}")(options)
        except (KeyTrouble, rollback.CannotAccept) as error:
            raise CommandError(str(error)) from error
        except Problem as problem:
            raise CommandError(problem.detail or problem.title) from problem

    def _seal(self, _: dict[str, Any]) -> None:
        run_until_stopped(sealer.run, patience_s=_PATIENCE_S)

    def _verify(self, _: dict[str, Any]) -> None:
        with sealing.connect() as connection:
            found = inspection.inspect(connection, CheckpointFile())
        for chain in found:
            name = chain.tenant or "the installation"
            self.stdout.write(f"{name}: {chain.records} records, {chain.checkpoints} checkpoints")
            for text in chain.notices:
                self.stdout.write(f"  note: {text}")
            for finding in chain.findings:
                self.stderr.write(f"  BAD: {finding}")
        if bad := sum(bool(chain.findings) for chain in found):
            raise CommandError(f"{bad} chains do not hold")
        self.stdout.write("every chain holds")

    def _bundle(self, options: dict[str, Any]) -> None:
        tenant = _tenant(options["tenant"])
        told = {"format": "bundle"}
        try:
            file = options["file"].open("xb")
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        whose = tenant.pk if tenant else None
        with file:
            export_id = audit.record(AuditEvent.AUDIT_EXPORTED, whose, details=told)
            bundle.write(Selection(tenant), export_id, file)
        self.stdout.write(f"written to {options['file']}")

    def _cut(self, options: dict[str, Any]) -> None:
        try:
            before = midnight(day_of(options["before"]))
        except ValueError as error:
            detail = f"--before is {options['before']!r}; it is like 2025-01-31"
            raise CommandError(detail) from error
        named = _tenant(options["tenant"])
        with sealing.connect() as connection:
            signer = _signer(connection)
            for tenant in [named.pk] if named else records.every_chain(connection):
                while done := retention.cut(signer, tenant, before, forwarding.targets()):
                    told = done["statement"]
                    name = tenant or "the installation"
                    self.stdout.write(f"{name}: {told['first_seq']} to {told['seq']} are cut away")

    def _erase(self, options: dict[str, Any]) -> None:
        with sealing.connect() as connection:
            if options["address"]:
                number = erasure.of_address(connection, options["address"])
            else:
                person = User.objects.filter(username=options["person"]).first()
                names = [options["person"], *([person.email] if person and person.email else [])]
                number = erasure.of_person(connection, str(person.pk) if person else "", names)
            self.stdout.write(f"{number} records no longer hold personal data")
            if left := records.unsealed_count(connection):
                self.stdout.write(f"{left} records are not sealed yet: run this again")

    def _key(self, options: dict[str, Any]) -> None:
        if options["rotate"]:
            with sealing.connect() as connection:
                signing_key.rotate(connection, is_lost=options["lost"])
        for told in state.public_keys():
            self.stdout.write(f"{told['since']}  {told['key_id']}  {told['fingerprint']}")

    def _accept_rollback(self, options: dict[str, Any]) -> None:
        tenant = _tenant(options["tenant"])
        with sealing.connect() as connection:
            whose = tenant.pk if tenant else None
            told = rollback.accept(_signer(connection), whose, options["reason"])
        self.stdout.write(json.dumps(told["statement"]))
        self.stdout.write("restart the sealer: it goes on from here")


def _signer(connection: SealerConnection) -> Signer:
    return Signer(connection, signing_key.opened(connection), CheckpointFile())


def _tenant(name: str | None) -> Tenant | None:
    if name is None:
        return None
    found = Tenant.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"there is no tenant {name!r}")
    return found
