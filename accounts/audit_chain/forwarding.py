"""Forward sealed records, each at least once, to syslog and to a file of JSON lines."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from django.conf import settings

from accounts.audit_chain import records
from accounts.audit_chain.append_file import append
from accounts.audit_chain.record import line
from accounts.audit_chain.syslog import Syslog
from accounts.models import AuditForwarding
from ffapi_site.database import sealing
from ffapi_site.database.sealing import SealerConnection
from ffapi_site.lib.chores import Chore, keep_doing
from ffapi_site.lib.lengths import fitted

logger = logging.getLogger(__name__)

_BATCH = 500
_PAUSE_S = 0.5
_AFTER_FAILURE_S = 5.0
_LONGEST_REST_S = 60.0
_BEGIN = """
INSERT INTO accounts_auditforwarding (target, place, failure)
SELECT %s, COALESCE(max(place), 0), '' FROM accounts_auditrecord ON CONFLICT DO NOTHING
"""


def targets() -> list[str]:
    """Where records go: addresses of syslog receivers, and ``file:`` with a path."""
    file = [f"file:{settings.AUDIT_LOG_FILE}"] if settings.AUDIT_LOG_FILE else []
    return file + ([settings.AUDIT_SYSLOG] if settings.AUDIT_SYSLOG else [])


def forget_others(connection: SealerConnection) -> None:
    """No longer tell that a target is away which was taken out of the settings, or mended there."""
    connection.execute(
        "UPDATE accounts_auditforwarding SET failure = '' WHERE target <> ALL (%s)", [targets()]
    )


def forward(connection: SealerConnection, target: str) -> int:
    """Send what comes next and remember how far it went.

    A target begins with the records after the moment when it was first seen. Raises ``OSError``
    where it is away, ``ValueError`` where it is no address.
    """
    connection.execute(_BEGIN, [target])
    if rows := records.to_forward(connection, target, _BATCH):
        # Without their salt: what was erased later can't be guessed from a copy.
        sent = [{name: of for name, of in line(row).items() if name != "salt"} for row in rows]
        if target.startswith("file:"):
            # Opened anew each time, so that the file may be moved away by log rotation.
            lines = "".join(json.dumps(each) + "\n" for each in sent)
            append(Path(target.removeprefix("file:")), lines.encode(), mode=0o600)
        else:
            with Syslog(target) as syslog:
                syslog.send(sent)
        connection.execute(
            "UPDATE accounts_auditforwarding SET place = %s, failure = '' WHERE target = %s",
            [rows[-1]["place"], target],
        )
    return len(rows)


def forward_until(stop: threading.Event, target: str) -> None:
    """Forward to one target for as long as this process seals; a dead one holds up nobody else."""

    def keep() -> None:
        with sealing.connect() as connection:
            while not stop.is_set():
                try:
                    if forward(connection, target) < _BATCH:
                        stop.wait(_PAUSE_S)
                except (OSError, ValueError) as error:
                    facts = {"target": target, "why": str(error)}
                    logger.warning("A target of the audit log is away", extra=facts)
                    connection.execute(
                        "UPDATE accounts_auditforwarding SET failure = %s WHERE target = %s",
                        [fitted(AuditForwarding, "failure", error), target],
                    )
                    stop.wait(_AFTER_FAILURE_S)

    chore = Chore("audit forwarding", keep, longest_rest_s=_LONGEST_REST_S)
    keep_doing(chore, stop, pause_s=_AFTER_FAILURE_S)
